import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { permissionOptions } from "../../src/lib/permissions.ts";
import { builtCommand, removeBuildAtEnd } from "./built.ts";
import { rotate, startWorld, type World } from "./world.ts";

let cli = "";
const dist = () => dirname(cli);
const cache = () => join(dist(), ".cache");

async function validate(world: World, env: NodeJS.ProcessEnv = {}) {
  const ran = await rotate(world, ["validate"], { cli, env: { NODE_COMPILE_CACHE: undefined, ...env } });
  expect(ran).toMatchObject({ status: 0, stderr: "" });
}

describe("what Node has compiled", () => {
  removeBuildAtEnd();
  beforeAll(async () => {
    cli = await builtCommand();
  });
  afterEach(() => chmodSync(dist(), 0o755));

  it("is not kept where somebody else may write the build", async () => {
    await using world = await startWorld();
    chmodSync(dist(), 0o775);
    await validate(world);
    expect(existsSync(cache())).toBe(false);
  });

  it("is not kept under Node's permission model", async () => {
    await using world = await startWorld();
    const allowed = { read: ["/"], write: [world.sandbox.folder], childProcess: false };
    await validate(world, { NODE_OPTIONS: permissionOptions(allowed).join(" ") });
    expect(existsSync(cache())).toBe(false);
  });

  it("is kept beside a build that only its owner may write, and for nobody else to write", async () => {
    await using world = await startWorld();
    await validate(world);
    expect(statSync(cache()).mode & 0o777).toBe(0o700);
    await validate(world);
  });

  it("is not taken from a folder that somebody else may write", async () => {
    await using world = await startWorld();
    rmSync(cache(), { recursive: true, force: true });
    mkdirSync(cache());
    chmodSync(cache(), 0o777);
    await validate(world);
    expect(readdirSync(cache())).toEqual([]);
  });
});
