import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdtemp, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, test } from "vitest";
import { parse, stringify } from "yaml";
import { fingerprint } from "../src/lib/secret.ts";
import { loadPolicy } from "../src/policy/load.ts";
import { ROLLOUT_PROVES } from "../src/policy/rollout-proves.ts";
import { judgeContract } from "../src/probes/contract.ts";
import { inLanguage, namedCommands, page, parsed, policyOf, ROOT, shownCommands } from "./docs/pages.ts";

const README = page("README.md");
const { prose, text: readme } = README;
const firstLine = (text: string) => text.slice(0, text.indexOf("\n"));

/** Every `rotate …` that the README names. */
const named = [...namedCommands(README), ...shownCommands(README)];

/** The same with each option that a row of a table gives to the command at its start. */
const withOptions = [...prose.matchAll(/^\| `rotate ([^`\s]+)([^`]*)`.*$/gm)].flatMap(
  ([row, name, rest = ""]) =>
    [...row.matchAll(/`(--[^`]+)`/g)].map(([, option]) => `${name} ${option}${rest.replace(/ <.*/, "")}`),
);
const commands = new Set([...named, ...withOptions]);

describe("the README's commands", () => {
  it.each([...commands])("rotate %s is accepted", async (line) => {
    await parsed(line.split(/\s+/));
  });

  it("would not be accepted with an option that there is not", async () => {
    expect(commands.size).toBeGreaterThan(10);
    await expect(parsed(["once", "--forever"])).rejects.toThrow("unknown option");
  });

  it("names only scripts that package.json has", () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
    const named = [...readme.matchAll(/npm run ([\w:]+)/g)].map(([, name = ""]) => name);
    expect(named).not.toEqual([]);
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });
});

const yaml = inLanguage(README, "yaml").map((block) => ({ text: block.text, policy: policyOf(block) }));

describe("the README's YAML", () => {
  it.each(yaml.map(({ text, policy }) => [firstLine(text), policy]))("is valid: %s", async (_, policy) => {
    const file = join(await mkdtemp(join(tmpdir(), "keyturn-")), "rotation.yaml");
    await writeFile(file, stringify(policy));
    const { warnings } = await loadPolicy(file, {});
    // What a rollout does not prove is said of each, and by the README.
    expect(warnings.filter(({ message }) => !message.includes(ROLLOUT_PROVES))).toEqual([]);
  });
});

describe("the manifests", () => {
  it.each(["worker/deployment.yaml", "cronjob/cronjob.yaml"])("run a command of ours in %s", async (name) => {
    const text = readFileSync(join(ROOT, "config/kubernetes/overlays", name), "utf8");
    const { spec } = parse(text);
    const [container] = (spec.jobTemplate ?? { spec }).spec.template.spec.containers;
    await parsed(container.args.map(String));
  });
});

describe("the examples", () => {
  const files = [
    "rotation.yaml",
    ...readdirSync(join(ROOT, "config/examples")).map((name) => `config/examples/${name}`),
  ];
  it.each(files)("%s is valid without a warning, and names its schema", async (name) => {
    const file = join(ROOT, name);
    const { warnings, text } = await loadPolicy(file, {});
    expect(warnings).toEqual([]);
    const schema = /^# yaml-language-server: \$schema=(\S+)$/m.exec(text)?.[1] ?? "none";
    expect(existsSync(join(file, "..", schema))).toBe(true);
  });
});

describe("the README's references", () => {
  it("lead to files that are there", () => {
    const links = [...prose.matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map(([, path = ""]) => path);
    expect(links.length).toBeGreaterThan(3);
    expect(links.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });

  it("show every part of src/ in the map of the code, and nothing else", () => {
    const map = inLanguage(README, "text").find(({ text }) => text.startsWith("src/"))?.text ?? "";
    const shown = [...map.matchAll(/^ {2}([\w.-]+)\/? /gm)].map(([, name]) => name);
    expect(shown.toSorted()).toEqual(readdirSync(join(ROOT, "src")).toSorted());
  });
});

describe("the contract for consumers", () => {
  const key = "sk-or-v1-readme";

  it("is shown by an answer that confirms", () => {
    const body = inLanguage(README, "json").find(({ text }) => text.includes('"keys"'))?.text ?? "";
    const serving = JSON.parse(body).keys["payments-api"].serving;
    const expected = {
      keyNames: ["payments-api"],
      fingerprint: serving,
      hash: "",
      label: "",
      version: "",
      outgoing: [],
    };
    expect(judgeContract({ status: 200, headers: {}, body }, expected).verdict).toBe("confirms");
  });

  it("is met by the service in Node", async () => {
    const folder = await mkdtemp(join(tmpdir(), "keyturn-"));
    const file = join(folder, "payments-api.json");
    const program = join(folder, "service.mjs");
    const port = await freePort();
    await writeFile(file, JSON.stringify({ OPENROUTER_API_KEY: key }));
    const source = inLanguage(README, "js")[0]?.text ?? "";
    await writeFile(
      program,
      source.replace('"keyturn/consumer"', JSON.stringify(join(ROOT, "src/consumer.ts"))),
    );
    const service = spawn(process.execPath, [program], {
      env: { ...process.env, KEY_FILE: file, PORT: String(port) },
      stdio: ["ignore", "inherit", "inherit"],
    });
    onTestFinished(async () => {
      service.kill();
      if (service.exitCode === null && service.signalCode === null) await once(service, "exit");
    });
    const answer = await expect
      .poll(() => fetch(`http://127.0.0.1:${port}/healthz`).catch(() => undefined), { timeout: 10_000 })
      .toBeDefined()
      .then(() => fetch(`http://127.0.0.1:${port}/healthz`));
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ keys: { "payments-api": { serving: fingerprint(key) } } });
  });

  it("has the package export what the service imports", () => {
    const { exports } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
    expect(exports["./consumer"].default).toBe("./dist/consumer.js");
  });

  const python = spawnSync("python3", ["--version"]).status === 0;
  test.runIf(python)("has the same fingerprint in Python", () => {
    const line = inLanguage(README, "python")[0]?.text.trim();
    const script = `import hashlib, sys\nkey = sys.argv[1]\nprint(${line})`;
    const { stdout } = spawnSync("python3", ["-c", script, key], { encoding: "utf8" });
    expect(stdout.trim()).toBe(fingerprint(key));
  });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address ? address.port : 0;
}
