import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
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
      DIR/starter.yaml is there: say in it which keys to keep fresh, then run rotate validate
      exit 0"
    `);
    expect(await session(world, ["validate", "--policy", starter])).toMatchInlineSnapshot(`
      "$ rotate validate --policy DIR/starter.yaml
      DIR/starter.yaml is valid: 1 key
      exit 0"
    `);
    const text = await readFile(starter, "utf8");
    expect(text).not.toContain("$schema");
    await writeFile(starter, `${text}# mine\n`);
    expect(await session(world, ["init", "--policy", starter])).toMatchInlineSnapshot(`
      "$ rotate init --policy DIR/starter.yaml
      | rotate: DIR/starter.yaml is there already, and is left as it is
      |   name another file with --output
      exit 2"
    `);
    expect(await readFile(starter, "utf8")).toBe(`${text}# mine\n`);
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
