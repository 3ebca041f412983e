import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Permissions, permissionOptions, withAllowed } from "../../src/lib/permissions.ts";
import { session } from "./transcript.ts";
import { currentHash, rotate, startWorker, startWorld, type World, type WorldOptions } from "./world.ts";

const ROOT = join(import.meta.dirname, "../..");

/** The environment of a command that may do in the world's folder what the image may in /data, and of the rest read the program. */
function confined(world: World, allow: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const { folder } = world.sandbox;
  const image: Permissions = { read: [ROOT, "/proc/self/mountinfo"], write: [folder], childProcess: false };
  return { HOME: folder, NODE_OPTIONS: permissionOptions(withAllowed(image, allow)).join(" ") };
}

describe.concurrent("under Node's permission model, as in the image", () => {
  test("a key is rotated, and every command that looks works", async ({ expect }) => {
    await using world = await startWorld();
    const env = confined(world);
    const before = currentHash(world);
    const now = await rotate(world, ["--now", "payments-api", "--until", "deleted"], { env });
    expect(now).toMatchObject({ status: 0, stdout: expect.stringContaining("payments-api: completed") });
    expect(currentHash(world)).not.toBe(before);
    for (const args of [
      ["once"],
      ["plan"],
      ["status"],
      ["history"],
      ["validate", "--online"],
      ["keys", "list"],
      ["sweep"],
      ["rollback", "payments-api"],
      ["journal", "export", "--output", "copy.journal", "--copy"],
    ]) {
      const { status, stdout, stderr } = await rotate(world, args, { env, cwd: world.sandbox.folder });
      expect({ args, status, said: stdout + stderr }).toMatchObject({
        status: args[0] === "rollback" ? 1 : 0,
        said: expect.not.stringMatching(/permission|ERR_ACCESS|denied|warning/i),
      });
    }
  });

  test("a worker rotates what is due, serves its health, and stops cleanly", async ({ expect }) => {
    await using world = await startWorld({
      policy: (yaml) =>
        yaml.replace("every: 30d", "every: 1s").replace("keys:\n", "server: { port: 0 }\nkeys:\n"),
    });
    const before = currentHash(world);
    const worker = startWorker({ ...world, env: { ...world.env, ...confined(world) } });
    await worker.says(/"msg":"the rotation is complete"/);
    expect(currentHash(world)).not.toBe(before);
    const port = /"port":(\d+)/.exec(worker.log())?.[1];
    const { status, stdout } = await rotate(
      world,
      ["health", "--ready", "--url", `http://127.0.0.1:${port}`],
      { env: confined(world) },
    );
    expect([status, stdout]).toEqual([0, "ok\n"]);
    expect(await worker.stop()).toEqual({ status: 0 });
    expect(worker.log()).not.toMatch(/permission|ERR_ACCESS|"level":"error"/i);
  });
});

describe("what the permission model refuses is told with the variable that allows it:", () => {
  let world: World;
  let elsewhere: string;
  beforeAll(async () => {
    elsewhere = await mkdtemp(join(tmpdir(), "keyturn-elsewhere-"));
    world = await startWorld();
  });
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await rm(elsewhere, { recursive: true });
  });

  const said = async (args: string[], env: NodeJS.ProcessEnv = {}, allow: NodeJS.ProcessEnv = {}) =>
    (await session(world, args, { env: { ...confined(world, allow), ...env } })).replaceAll(
      elsewhere,
      "ELSEWHERE",
    );

  test("a store elsewhere", async () => {
    const env = { KEYTURN_STORE: join(elsewhere, "secrets") };
    expect(await said(["--now", "payments-api", "--log-level", "error"], env)).toMatchInlineSnapshot(`
      "$ rotate --now payments-api --log-level error
      payments-api: blocked: ELSEWHERE/secrets: keyturn may not write it; Node's permission model refuses it: in keyturn's image set KEYTURN_ALLOW_WRITE=ELSEWHERE/secrets; elsewhere start Node with --allow-fs-read=ELSEWHERE/secrets --allow-fs-write=ELSEWHERE/secrets
      exit 1"
    `);
  });

  test("a journal elsewhere", async () => {
    expect(await said(["status"], { KEYTURN_JOURNAL: join(elsewhere, "journal.db") })).toMatchInlineSnapshot(`
      "$ rotate status
      | rotate: ELSEWHERE: keyturn may not write it
      |   Node's permission model refuses it: in keyturn's image set KEYTURN_ALLOW_WRITE=ELSEWHERE; elsewhere start Node with --allow-fs-read=ELSEWHERE --allow-fs-write=ELSEWHERE
      exit 1"
    `);
  });

  test("a policy elsewhere", async () => {
    await writeFile(join(elsewhere, "rotation.yaml"), "version: 1\n");
    expect(await said(["validate", "--policy", join(elsewhere, "rotation.yaml")])).toMatchInlineSnapshot(`
      "$ rotate validate --policy ELSEWHERE/rotation.yaml
      | rotate: the policy is invalid
      | ELSEWHERE/rotation.yaml  keyturn may not read the file
      |       Node's permission model refuses it: in keyturn's image set KEYTURN_ALLOW_READ=ELSEWHERE/rotation.yaml; elsewhere start Node with --allow-fs-read=ELSEWHERE/rotation.yaml
      exit 2"
    `);
  });

  test("a management key elsewhere", async () => {
    const options: WorldOptions = {
      policy: (yaml) => yaml.replace("{ env: OPENROUTER_MANAGEMENT_KEY }", "{ file: /srv/management-key }"),
    };
    await using other = await startWorld(options);
    const env = confined(other);
    expect(await session(other, ["keys", "list"], { env })).toMatchInlineSnapshot(`
      "$ rotate keys list
      | rotate: /srv/management-key cannot be read (ERR_ACCESS_DENIED)
      |   Node's permission model refuses it: in keyturn's image set KEYTURN_ALLOW_READ=/srv/management-key; elsewhere start Node with --allow-fs-read=/srv/management-key
      exit 1"
    `);
  });

  test("an exec probe, which runs once programs are allowed", async () => {
    await using other = await startWorld({
      policy: (yaml) =>
        yaml.replace(
          /probe: { http: "\${BILLING_URL}\/healthz" }/,
          'probe: { exec: ["/bin/true", "{fingerprint}"] }',
        ),
    });
    const args = ["--now", "payments-api", "--deadline", "1s", "--log-level", "error"];
    expect(await session(other, args, { env: confined(other) })).toMatchInlineSnapshot(`
      "$ rotate --now payments-api --deadline 1s --log-level error
      payments-api: blocked: consumer billing is not well: exec /bin/true cannot be run (Node's permission model refuses it: set KEYTURN_ALLOW_CHILD_PROCESS=1 in keyturn's image, or start Node with --allow-child-process)
      exit 1"
    `);
    const { status, stderr } = await rotate(other, ["--now", "payments-api"], {
      env: confined(other, { KEYTURN_ALLOW_CHILD_PROCESS: "1" }),
    });
    expect(status).toBe(0);
    expect(stderr).not.toContain("SecurityWarning");
  });

  test("and what is allowed, works", async () => {
    const env = { KEYTURN_STORE: join(elsewhere, "secrets"), KEYTURN_JOURNAL: join(elsewhere, "journal.db") };
    await expect(said(["plan"], env, { KEYTURN_ALLOW_WRITE: elsewhere })).resolves.toContain("exit 0");
  });
});
