import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { CLUSTERS, EVERYTHING } from "../rights/policies.ts";
import { session } from "./transcript.ts";
import { rotate, startWorld, type World } from "./world.ts";

describe("rotate init", () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld({ provisioned: false });
    await writeFile(join(world.sandbox.folder, "everything.yaml"), EVERYTHING);
    await writeFile(join(world.sandbox.folder, "clusters.yaml"), CLUSTERS);
  });
  afterAll(() => world[Symbol.asyncDispose]());

  const file = (name: string) => join(world.sandbox.folder, name);
  const rbac = (policy: string, ...more: string[]) => [
    "init",
    "--kubernetes-rbac",
    "--policy",
    file(policy),
    ...more,
  ];

  test("writes a policy that is valid, and leaves one that is there as it is", async () => {
    const starter = file("starter.yaml");
    expect(await session(world, ["init", "--policy", starter])).toMatchInlineSnapshot(`
      "$ rotate init --policy DIR/starter.yaml
      DIR/starter.yaml is written: say in it which keys to keep fresh, then run rotate validate
      exit 0"
    `);
    expect(await session(world, ["validate", "--policy", starter])).toMatchInlineSnapshot(`
      "$ rotate validate --policy DIR/starter.yaml
      DIR/starter.yaml is valid: 1 key
      exit 0"
    `);
    const text = await readFile(starter, "utf8");
    const [, schema = ""] = /^# yaml-language-server: \$schema=(\S+)$/m.exec(text) ?? [];
    expect(existsSync(resolve(world.sandbox.folder, schema))).toBe(true);
    await writeFile(starter, `${text}# mine\n`);
    expect(await session(world, ["init", "--policy", starter])).toMatchInlineSnapshot(`
      "$ rotate init --policy DIR/starter.yaml
      | rotate: DIR/starter.yaml is there already, and is left as it is
      |   name another file with --output
      exit 2"
    `);
    expect(await readFile(starter, "utf8")).toBe(`${text}# mine\n`);
  });

  test("fills in what the provider shows of the key that is adopted, by the beginning of its hash", async () => {
    const created = await rotate(world, [
      ...["keys", "create", "Chat (prod)", "--limit", "25", "--limit-reset", "weekly", "--json", "--reveal"],
    ]);
    const { hash } = JSON.parse(created.stdout).key;
    const adopted = file(`adopted-${hash}.yaml`);
    const consumer = ["--consumer", `chat=${world.env.PAYMENTS_URL}/healthz`];
    const { status, stdout } = await rotate(world, [
      ...["init", "--output", adopted, "--adopt", hash.slice(0, 10), ...consumer],
    ]);
    expect(status).toBe(0);
    expect(stdout).toContain("must be in");
    const [key] = parse(await readFile(adopted, "utf8")).keys;
    expect(key).toMatchObject({
      name: "chat-prod",
      adopt: { hash },
      settings: { limit: 25, limitReset: "weekly" },
    });
    expect((await rotate(world, ["validate", "--policy", adopted])).status).toBe(0);
    await rotate(world, ["keys", "disable", hash]);
    const late = await rotate(world, ["init", "--output", file("late.yaml"), "--adopt", hash, ...consumer]);
    expect(late.status).toBe(1);
    expect(late.stderr).toContain("is disabled, so no service can be using it");
  });

  test("asks the provider nothing with --offline, nor without the management key, and then takes whole hashes only", async () => {
    const short = ["init", "--output", file("short.yaml"), "--adopt", "0123456789", "--retire-after", "1h"];
    expect(await session(world, [...short, "--offline"])).toMatchInlineSnapshot(`
      "$ rotate init --output DIR/short.yaml --adopt 0123456789 --retire-after 1h --offline
      | rotate: --adopt: 0123456789 is not a whole hash, and the provider is not asked (--offline)
      |   give all of it, or have the management key at hand
      exit 2"
    `);
    const whole = ["init", "--output", file("whole.yaml"), "--key", "chat", "--adopt", "ab".repeat(32)];
    const { status, stderr } = await rotate(world, [...whole, "--retire-after", "1h"], {
      env: { OPENROUTER_MANAGEMENT_KEY: undefined },
    });
    expect(status).toBe(0);
    expect(stderr).toContain("not looked up: environment variable OPENROUTER_MANAGEMENT_KEY is not set");
    const [key] = parse(await readFile(file("whole.yaml"), "utf8")).keys;
    expect(key.adopt).toEqual({ hash: "ab".repeat(32) });
    expect(key.settings).toBeUndefined();
  });

  test("says what to do where the file cannot be written", async () => {
    const args = ["init", "--output", file("nowhere/a.yaml"), "--key", "chat", "--retire-after", "1h"];
    expect(await session(world, [...args, "--offline"])).toMatchInlineSnapshot(`
      "$ rotate init --output DIR/nowhere/a.yaml --key chat --retire-after 1h --offline
      | rotate: cannot write DIR/nowhere/a.yaml (ENOENT)
      |   its folder is not there: make it, or name another file with --output
      exit 1"
    `);
  });

  test("says all that is missing or wrong at once, by option, and writes nothing", async () => {
    const args = ["init", "--output", file("wrong.yaml"), "--store", "kubernetes", "--schedule", "0 10 * *"];
    expect(await session(world, args)).toMatchInlineSnapshot(`
      "$ rotate init --output DIR/wrong.yaml --store kubernetes --schedule 0 10 * *
      | rotate: this makes no valid policy yet
      |   --key NAME: what the policy calls the key
      |   --consumer NAME=URL: each service that uses the key; or --retire-after DURATION, where nobody can be asked
      |   --namespace NAME: the namespace of the Secret
      |   --schedule: found "0 10 * *", 4 fields; accepted: five (minute, hour, day of month, month, day of week)
      exit 2"
    `);
    const names = ["init", "--output", file("wrong.yaml"), "--key", "No Good", "--retire-after", "soon"];
    expect(await session(world, names)).toMatchInlineSnapshot(`
      "$ rotate init --output DIR/wrong.yaml --key No Good --retire-after soon
      | rotate: this makes no valid policy yet
      |   --key: found "No Good"; accepted: a name of lower-case letters, digits and hyphens, 63 at most, that starts with a letter or digit
      |   --retire-after: found "soon"; accepted: a duration like 500ms, 90s, 15m, 24h or 30d, of at most 100 years
      exit 2"
    `);
    expect(existsSync(file("wrong.yaml"))).toBe(false);
  });

  test("refuses options of another kind of store, and those for policies beside --kubernetes-rbac", async () => {
    expect(
      await session(world, ["init", "--output", file("x.yaml"), "--region", "eu-west-1"]),
    ).toMatchInlineSnapshot(`
      "$ rotate init --output DIR/x.yaml --region eu-west-1
      | rotate: --region goes with --store aws
      exit 2"
    `);
    expect(await session(world, rbac("everything.yaml", "--key", "chat"))).toMatchInlineSnapshot(`
      "$ rotate init --kubernetes-rbac --policy DIR/everything.yaml --key chat
      | rotate: --key is for writing a policy
      |   --kubernetes-rbac prints what the policy of --policy needs
      exit 2"
    `);
  });

  test("prints the same rights each time, or writes them to a file that is not there", async () => {
    const first = await rotate(world, rbac("everything.yaml"));
    expect(first.status).toBe(0);
    expect(first.stdout).toContain("kind: RoleBinding");
    expect((await rotate(world, rbac("everything.yaml"))).stdout).toBe(first.stdout);
    const output = ["--output", file("rights.yaml")];
    expect(await rotate(world, rbac("everything.yaml", ...output))).toMatchObject({ status: 0, stdout: "" });
    expect(await readFile(file("rights.yaml"), "utf8")).toBe(first.stdout);
    expect(await session(world, rbac("everything.yaml", ...output))).toMatchInlineSnapshot(`
      "$ rotate init --kubernetes-rbac --policy DIR/everything.yaml --output DIR/rights.yaml
      | rotate: DIR/rights.yaml is there already, and is left as it is
      |   name another file with --output
      exit 2"
    `);
  });

  test("takes whom and where keyturn runs as from the options", async () => {
    const { stdout } = await rotate(
      world,
      rbac("everything.yaml", "--namespace", "ops", "--service-account", "rotator"),
    );
    expect(stdout).toContain("kind: ServiceAccount\nmetadata:\n  name: rotator\n  namespace: ops\n");
  });

  test.each([
    ["--namespace", "Ops team"],
    ["--service-account", "rot_ator"],
  ])("refuses a %s that Kubernetes would not take", async (option, name) => {
    const { status, stdout, stderr } = await rotate(world, rbac("everything.yaml", option, name));
    expect(status).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toContain(`rotate: ${option}: found "${name}"; accepted: `);
  });

  test("prints the rights of one cluster, and asks which where there are several", async () => {
    expect(await session(world, rbac("clusters.yaml"))).toMatchInlineSnapshot(`
      "$ rotate init --kubernetes-rbac --policy DIR/clusters.yaml
      | rotate: the policy speaks to several clusters, and manifests are of one
      |   choose one with --context: east, west
      exit 2"
    `);
    expect(await session(world, rbac("clusters.yaml", "--context", "wets"))).toMatchInlineSnapshot(`
      "$ rotate init --kubernetes-rbac --policy DIR/clusters.yaml --context wets
      | rotate: the policy names no context "wets"
      |   did you mean "west"?
      exit 2"
    `);
    expect((await rotate(world, rbac("clusters.yaml", "--context", "west"))).status).toBe(0);
  });

  test("says so of a policy that uses nothing of Kubernetes, and of options that stand alone", async () => {
    expect(await session(world, ["init", "--kubernetes-rbac"])).toMatchInlineSnapshot(`
      "$ rotate init --kubernetes-rbac
      | rotate: DIR/rotation.yaml uses nothing of Kubernetes, so it needs no rights there
      |   this is for policies with a Kubernetes store or journal, or with probes or reloads by the Kubernetes API
      exit 2"
    `);
    expect(
      await session(world, ["init", "--service-account", "x", "--output", file("never.yaml")]),
    ).toMatchInlineSnapshot(`
      "$ rotate init --service-account x --output DIR/never.yaml
      | rotate: --service-account goes with --kubernetes-rbac
      exit 2"
    `);
  });
});
