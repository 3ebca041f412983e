import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { builtCommand, removeBuildAtEnd } from "./built.ts";
import { type RotateOptions, rotate, startWorld, type World } from "./world.ts";

const HOOK = new URL("loaded-hook.ts", import.meta.url).href;

/** Of Node's own modules, those that take as long to load as everything else of a small command. */
const HEAVY = ["http", "https", "tls", "internal/deps/undici/undici"];

const READING = ["commander", "croner", "fastest-levenshtein", "js-yaml", "node-cron", "zod"];
const PASSING = [
  ...READING,
  ...[
    "@pinojs/redact",
    "atomic-sleep",
    "is-network-error",
    "on-exit-leak-free",
    "p-queue",
    "p-retry",
    "pino",
  ],
  ...["pino-std-serializers", "quick-format-unescaped", "safe-stable-stringify", "sonic-boom"],
  "thread-stream",
].toSorted();

interface Loaded {
  /** Names of packages, sorted. */
  packages: string[];
  heavy: string[];
  /** Files of ours. */
  own: string[];
}

async function loadedBy(world: World, args: string[], options: RotateOptions = {}): Promise<Loaded> {
  const file = join(world.sandbox.folder, "loaded.json");
  const env = { ...options.env, NODE_OPTIONS: `--import ${HOOK}`, LOADED_TO: file };
  const { status, stderr } = await rotate(world, args, { ...options, env });
  expect(status, stderr).toBe(0);
  const { files, internals } = JSON.parse(readFileSync(file, "utf8")) as Record<
    "files" | "internals",
    string[]
  >;
  const packaged = (url: string) => /^.*\/node_modules\/((?:@[^/]+\/)?[^/.][^/]*)\//.exec(url)?.[1];
  return {
    packages: [...new Set(files.map(packaged).filter((name) => name !== undefined))].toSorted(),
    heavy: HEAVY.filter((name) => internals.includes(`NativeModule ${name}`)),
    own: files.filter((url) => packaged(url) === undefined && url !== HOOK),
  };
}

describe("a command loads what it uses, and nothing else", () => {
  const commands: [string, string[], string[]][] = [
    ["rotate --version", ["--version"], []],
    ["rotate --help", ["--help"], []],
    ["rotate validate", ["validate"], READING],
    ["rotate once, with nothing due,", ["once"], PASSING],
  ];

  it.each(commands)("%s", async (_, args, packages) => {
    await using world = await startWorld();
    expect(await loadedBy(world, args)).toMatchObject({ packages, heavy: [] });
  });

  it("rotate --now loads what makes requests, which shows that this would be seen", async () => {
    await using world = await startWorld();
    const { heavy, packages } = await loadedBy(world, ["--now"]);
    expect(heavy).toEqual(HEAVY);
    expect(packages).toEqual(PASSING);
  });
});

describe("the build", () => {
  removeBuildAtEnd();

  it.each([["validate"], ["once"]])(
    "has in a few files of its own all that rotate %s loads",
    async (name) => {
      await using world = await startWorld();
      const { packages, heavy, own } = await loadedBy(world, [name], { cli: await builtCommand() });
      expect({ packages, heavy }).toEqual({ packages: [], heavy: [] });
      expect(own.length).toBeLessThan(50);
    },
  );

  it("starts on any Node, because its first file imports nothing before it has looked at the version", async () => {
    expect(readFileSync(await builtCommand(), "utf8")).not.toMatch(/^import\b[^(]*$/m);
  });
});
