import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, it } from "vitest";

const SRC = join(import.meta.dirname, "../src");

interface Module {
  /** Relative to src/. */
  path: string;
  /** Without comments. */
  code: string;
  imports: { path: string; typeOnly: boolean }[];
}

const modules = readdirSync(SRC, { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".ts"))
  .map(read);

function read(path: string): Module {
  const code = readFileSync(join(SRC, path), "utf8")
    .replace(/\/\*[\s\S]*?\*\//g, "")
    .replace(/(^|\s)\/\/.*$/gm, "$1");
  const statements = code.matchAll(/(?:^|;)\s*(?:import|export)\b([^;]*?)\bfrom\s+"(\.[^"]+)"/gm);
  const bare = code.matchAll(/\bimport\s*\(?\s*"(\.[^"]+)"/g);
  const target = (specifier = "") => normalize(join(dirname(path), specifier));
  return {
    path,
    code,
    imports: [
      ...[...statements].map(([, what = "", from]) => ({
        path: target(from),
        typeOnly: /^\s*type\b/.test(what),
      })),
      ...[...bare].map(([, from]) => ({ path: target(from), typeOnly: false })),
    ],
  };
}

const folder = (path: string) => (path.includes("/") ? path.slice(0, path.indexOf("/")) : path);
const within = (...folders: string[]) => modules.filter(({ path }) => folders.includes(folder(path)));

/** `from -> to` for each import of `importers` that `allowed` refuses. */
function refused(
  importers: Module[],
  allowed: (to: string, importer: Module, typeOnly: boolean) => boolean,
): string[] {
  return importers.flatMap((importer) =>
    importer.imports
      .filter(({ path, typeOnly }) => !allowed(folder(path), importer, typeOnly))
      .map(({ path }) => `${importer.path} -> ${path}`),
  );
}

const EDGES = ["providers", "stores", "probes", "journal"];

describe("data flows one way", () => {
  it("reads the imports at all", () => {
    expect(modules.length).toBeGreaterThan(20);
    expect(read("lib/secret-source.ts").imports).toContainEqual({ path: "lib/errors.ts", typeOnly: false });
    expect(read("providers/provider.ts").imports).toContainEqual({ path: "lib/secret.ts", typeOnly: true });
  });

  it("lib imports nothing above it", () => {
    expect(refused(within("lib"), (to) => to === "lib")).toEqual([]);
  });

  it("kubernetes imports only lib", () => {
    expect(refused(within("kubernetes"), (to) => ["kubernetes", "lib"].includes(to))).toEqual([]);
  });

  it("the policy imports only lib and the arithmetic of the schedule", () => {
    expect(refused(within("policy"), (to) => ["policy", "lib", "schedule"].includes(to))).toEqual([]);
  });

  it("the schedule imports only lib and the policy", () => {
    expect(refused(within("schedule"), (to) => ["schedule", "policy", "lib"].includes(to))).toEqual([]);
  });

  it("providers, stores, probes and journal never import the rotation or one another", () => {
    const allowed = (to: string, importer: Module, typeOnly: boolean) =>
      ["lib", "kubernetes", folder(importer.path)].includes(to) || (to === "policy" && typeOnly);
    expect(refused(within(...EDGES), allowed)).toEqual([]);
  });

  it("notifications know the rotation and the journal by their types, and of the probes how a request is made", () => {
    const allowed = (to: string, _: Module, typeOnly: boolean) =>
      ["notify", "policy", "lib", "journal", "probes"].includes(to) || (typeOnly && to === "rotation");
    expect(refused(within("notify"), allowed)).toEqual([]);
    const used = within("notify")
      .flatMap(({ imports }) => imports)
      .filter(({ path, typeOnly }) => !typeOnly && EDGES.includes(folder(path)));
    expect(new Set(used.map(({ path }) => path))).toEqual(
      new Set(["journal/outbox.ts", "probes/http-target.ts"]),
    );
  });

  it("the rotation does not know the commands, the composition root, the sandbox or telemetry", () => {
    const allowed = (to: string) => ["rotation", "policy", "schedule", "lib", ...EDGES].includes(to);
    expect(refused(within("rotation"), allowed)).toEqual([]);
  });

  it("the rotation knows the edges by their interfaces only", () => {
    const backends = modules.flatMap((importer) =>
      folder(importer.path) !== "rotation"
        ? []
        : importer.imports
            .filter(({ path, typeOnly }) => !typeOnly && /^(providers|stores|journal)\/.+\//.test(path))
            .map(({ path }) => `${importer.path} -> ${path}`),
    );
    expect(backends).toEqual([]);
  });

  it("only the commands and the composition root start the sandbox", () => {
    const others = modules.filter(({ path }) => !["sandbox", "commands", "main.ts"].includes(folder(path)));
    expect(refused(others, (to) => to !== "sandbox")).toEqual([]);
  });

  it("only cli.ts and the commands import commands, only commands the composition root", () => {
    const others = modules.filter(({ path }) => !["commands", "cli.ts"].includes(folder(path)));
    expect(refused(others, (to) => to !== "commands" && to !== "main.ts")).toEqual([]);
  });

  it("no module imports itself in a circle at run time", () => {
    expect(circles()).toEqual([]);
  });
});

describe("the world outside comes in as an argument", () => {
  const users = (pattern: RegExp, allowed: readonly string[]) =>
    modules
      .filter(({ path, code }) => pattern.test(code) && !allowed.some((start) => path.startsWith(start)))
      .map(({ path }) => path);
  const ENTRANCES = ["cli.ts", "main.ts", "commands/"];

  it("only the entrances and the sandbox read the environment", () => {
    expect(users(/\bprocess\.env\b/, [...ENTRANCES, "sandbox/"])).toEqual([]);
  });

  it("only the clock reads the time", () => {
    expect(
      users(/\bDate\.now\(|\bnew Date\(\s*\)|\bperformance\.now\(/, ["lib/clock.ts", "consumer.ts"]),
    ).toEqual([]);
  });

  it("only the random source draws", () => {
    expect(users(/\bMath\.random\b|\brandomBytes\b|\brandomUUID\b/, ["lib/random.ts"])).toEqual([]);
  });
});

/** Each circle of run-time imports once, as `a -> b -> a`. */
function circles(): string[] {
  const runtime = new Map(
    modules.map(({ path, imports }) => [
      path,
      imports.filter(({ typeOnly }) => !typeOnly).map((to) => to.path),
    ]),
  );
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]) => {
    if (trail.includes(path)) {
      found.push([...trail.slice(trail.indexOf(path)), path].join(" -> "));
      return;
    }
    if (done.has(path)) return;
    for (const next of runtime.get(path) ?? []) visit(next, [...trail, path]);
    done.add(path);
  };
  for (const path of runtime.keys()) visit(path, []);
  return found;
}
