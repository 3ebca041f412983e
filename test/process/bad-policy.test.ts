import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, test } from "vitest";
import { session } from "./transcript.ts";
import { changingNothing } from "./unchanged.ts";
import { POLICY, startWorld, type World } from "./world.ts";

describe.concurrent("a policy that cannot be used is told with place and remedy, with status 2, and nothing is touched", () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld();
  });
  afterAll(() => world[Symbol.asyncDispose]());

  const run = (...args: string[]) => changingNothing(world, () => session(world, args));

  /** What a command says of a policy with this text. */
  async function told(yaml: string, ...args: string[]): Promise<string> {
    const file = join(await mkdtemp(join(world.sandbox.folder, "policy-")), "rotation.yaml");
    await writeFile(file, yaml);
    return (await run(...args, "--policy", file)).replace(/policy-\w+/g, "OTHER");
  }

  test("a file that is not there", async ({ expect }) => {
    expect(await run("once", "--policy", "/nowhere/rotation.yaml")).toMatchInlineSnapshot(`
      "$ rotate once --policy /nowhere/rotation.yaml
      | rotate: the policy is invalid
      | /nowhere/rotation.yaml  there is no such file
      |       name the policy with --policy FILE or KEYTURN_POLICY, or write one: rotate init
      exit 2"
    `);
  });

  test("a folder in place of the file", async ({ expect }) => {
    const folder = join(world.sandbox.folder, "folder");
    await mkdir(folder);
    expect(await run("status", "--policy", folder)).toMatchInlineSnapshot(`
      "$ rotate status --policy DIR/folder
      | rotate: the policy is invalid
      | DIR/folder  this is a directory; accepted: a file
      |       did you mean DIR/folder/rotation.yaml?
      exit 2"
    `);
  });

  test("an empty file", async ({ expect }) => {
    expect(await told("", "worker")).toMatchInlineSnapshot(`
      "$ rotate worker --policy DIR/OTHER/rotation.yaml
      | rotate: the policy is invalid
      | DIR/OTHER/rotation.yaml:1:1  the file is empty; accepted: a policy that begins with \`version: 1\`
      exit 2"
    `);
  });

  test("YAML with a bracket that is never closed", async ({ expect }) => {
    expect(await told(POLICY.replace("stores:\n", "stores: [\n"), "plan")).toMatchInlineSnapshot(`
      "$ rotate plan --policy DIR/OTHER/rotation.yaml
      | rotate: the policy is invalid
      | DIR/OTHER/rotation.yaml:11:1  no valid YAML: Flow sequence in block collection must be sufficiently indented and end with a ]
      |    11 | journal: { type: sqlite, path: "\${KEYTURN_JOURNAL}" }
      |       | ^
      |       inside { } and [ ], put a string with \${…} in quotes: "\${NAME}"
      exit 2"
    `);
  });

  test("values of wrong types and a misspelled field, all at once", async ({ expect }) => {
    const yaml = POLICY.replace("version: 1", "version: two")
      .replace("{ every: 30d }", "[daily]")
      .replace("successThreshold", "succesThreshold")
      .replace("retire: { watch: 100ms }", "retire: soon");
    expect(await told(yaml, "--now")).toMatchInlineSnapshot(`
      "$ rotate --now --policy DIR/OTHER/rotation.yaml
      | rotate: the policy is invalid
      | DIR/OTHER/rotation.yaml:2:10  version: found "two"; accepted: 1
      |     2 | version: two
      |       |          ^
      | DIR/OTHER/rotation.yaml:15:15  keys[0].schedule: found a list; accepted: cron of five fields like "0 10 * * 2", { every: 30d }, or none
      |    15 |     schedule: [daily]
      |       |               ^
      | DIR/OTHER/rotation.yaml:20:45  keys[0].confirm.succesThreshold: unknown field; accepted: timeout, interval, successThreshold, onTimeout
      |    20 |     confirm: { timeout: 5m, interval: 50ms, succesThreshold: 2 }
      |       |                                             ^
      |       did you mean "successThreshold"?
      | DIR/OTHER/rotation.yaml:21:13  keys[0].retire: found "soon"; accepted: { after, requireQuiet, watch, keepDisabledFor }
      |    21 |     retire: soon
      |       |             ^
      exit 2"
    `);
  });

  test("a probe URL that is none", async ({ expect }) => {
    const yaml = POLICY.replace(/"[^"]*BILLING_URL[^"]*"/, "htp:/billing/healthz");
    expect(await told(yaml, "once")).toMatchInlineSnapshot(`
      "$ rotate once --policy DIR/OTHER/rotation.yaml
      | rotate: the policy is invalid
      | DIR/OTHER/rotation.yaml:19:41  keys[0].consumers[1].probe.http: found "htp:/billing/healthz"; accepted: an http:// or https:// URL, a list of them, or { url, method, headers, body, auth, tls, proxy }
      |    19 |       - { name: billing, probe: { http: htp:/billing/healthz } }
      |       |                                         ^
      exit 2"
    `);
  });

  test("an environment variable that is not set", async ({ expect }) => {
    expect(await told(POLICY.replace("BILLING_URL", "BILING_URL"), "validate")).toMatchInlineSnapshot(`
      "$ rotate validate --policy DIR/OTHER/rotation.yaml
      | rotate: the policy is invalid
      | DIR/OTHER/rotation.yaml:19:41  keys[0].consumers[1].probe.http: environment variable BILING_URL is not set
      |    19 |       - { name: billing, probe: { http: "\${BILING_URL}/healthz" } }
      |       |                                         ^
      |       set BILING_URL, or give a default: \${BILING_URL:-…}
      exit 2"
    `);
  });

  test("a key that the policy does not have", async ({ expect }) => {
    expect(await run("--now", "payment-api")).toMatchInlineSnapshot(`
      "$ rotate --now payment-api
      | rotate: the policy has no key "payment-api"
      |   did you mean payments-api?
      exit 2"
    `);
  });
});
