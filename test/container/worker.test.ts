import { chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Container, run, start, until } from "./podman.ts";

/** The image's own user. */
const USER = 1000;
const MANAGEMENT_KEY = "/run/secrets/keyturn/openrouter";

/** The image's sandbox in one container, and beside it workers on the same volume, network and loopback. */
describe("a worker in a container beside its consumers", () => {
  let folder: string;
  let sandbox: Container;
  let beside: string[];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "keyturn-container-"));
    for (const name of ["data", "keys", "policy", "secrets"])
      mkdirSync(join(folder, name), { mode: name === "keys" ? 0o700 : 0o755 });
    for (const name of ["data", "keys"]) chownSync(join(folder, name), USER, USER);
    sandbox = await start([`--volume=${folder}/data:/data`], "sandbox", "--keep", "/data");
    const exported = await until(async () => {
      const lines = [...(await sandbox.logs()).matchAll(/^export (\w+)='?(.*?)'?$/gm)];
      return lines.some(([, name]) => name === "KEYTURN_POLICY") ? lines : undefined;
    });
    const variables = new Map(exported.map(([, name = "", value = ""]) => [name, value]));
    // As a mounted secret, and the policy as a mounted file.
    writeFileSync(join(folder, "secrets/openrouter"), variables.get("OPENROUTER_MANAGEMENT_KEY") ?? "");
    writeFileSync(join(folder, "policy/rotation.yaml"), shippedPolicy());
    beside = [
      `--network=container:${sandbox.id}`,
      `--volume=${folder}/data:/data`,
      `--volume=${folder}/policy:/etc/keyturn:ro`,
      `--volume=${folder}/secrets:/run/secrets/keyturn:ro`,
      ...["OPENROUTER_BASE_URL", "PAYMENTS_URL", "BILLING_URL"].map(
        (name) => `--env=${name}=${variables.get(name)}`,
      ),
    ];
  }, 120_000);
  afterAll(async () => {
    await sandbox[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  /** The shipped one, with the management key in a file. */
  function shippedPolicy(change: (yaml: string) => string = (yaml) => yaml): string {
    const yaml = readFileSync(join(import.meta.dirname, "../../rotation.yaml"), "utf8");
    return change(yaml.replace("{ env: OPENROUTER_MANAGEMENT_KEY }", `{ file: ${MANAGEMENT_KEY} }`));
  }

  const currentKey = () =>
    JSON.parse(readFileSync(join(folder, "data/secrets/payments-api.json"), "utf8"))
      .OPENROUTER_API_KEY as string;

  test("is healthy, rotates a key by `docker exec`, and ends with 0 upon `docker stop`", async () => {
    await using worker = await start(beside, "worker", "--heartbeat", "1s");
    await until(async () =>
      (await worker.exec("rotate", "health", "--ready")).status === 0 ? true : undefined,
    );
    expect(await worker.exec("/usr/local/bin/rotate", "health")).toMatchObject({ status: 0, stdout: "ok\n" });
    const first = await worker.exec("rotate", "--now", "payments-api");
    expect(first).toMatchObject({ status: 0, stdout: expect.stringContaining("payments-api: completed") });
    const before = currentKey();
    expect(await worker.exec("keyturn", "--now", "payments-api", "--until", "deleted")).toMatchObject({
      status: 0,
    });
    expect(currentKey()).not.toBe(before);
    const status = await worker.exec("rotate", "status", "--exit-code");
    expect(status).toMatchObject({ status: 0, stdout: expect.stringContaining("payments-api") });
    expect(await worker.stop()).toBe(0);
    const logs = await worker.logs();
    expect(logs).toContain('"msg":"the worker has stopped"');
    expect(logs).not.toMatch(/ERR_ACCESS_DENIED|"level":"error"/);
  });

  test("tells in its health that the policy is refused, and lives on under the one that it has", async () => {
    await using worker = await start(beside, "worker", "--heartbeat", "1s");
    await until(async () =>
      (await worker.exec("rotate", "health", "--ready")).status === 0 ? true : undefined,
    );
    writeFileSync(join(folder, "policy/rotation.yaml"), "version: 2\n");
    await worker.signal("HUP");
    await until(async () =>
      (await worker.logs()).includes("the policy file is refused") ? true : undefined,
    );
    expect(await worker.exec("rotate", "health")).toMatchObject({ status: 0 });
    writeFileSync(join(folder, "policy/rotation.yaml"), shippedPolicy());
    expect(await worker.stop()).toBe(0);
  });

  test("starts the programs of exec probes only where that is allowed", async () => {
    const exec = (yaml: string) =>
      yaml.replace(
        /http: \$\{BILLING_URL.*/,
        'exec: [/nodejs/bin/node, -e, "process.exit(0)", "{fingerprint}"]',
      );
    writeFileSync(join(folder, "policy/exec.yaml"), shippedPolicy(exec));
    const args = ["validate", "--online", "--policy", "/etc/keyturn/exec.yaml"];
    const refused = await run(beside, ...args);
    expect(refused.stdout).toContain("KEYTURN_ALLOW_CHILD_PROCESS=1");
    expect(refused.status).toBe(1);
    const allowed = await run([...beside, "--env=KEYTURN_ALLOW_CHILD_PROCESS=1"], ...args);
    expect(allowed.stdout).not.toContain("refuses");
    expect(allowed.status).toBe(0);
  });

  test("keeps keys in another volume only where that is allowed", async () => {
    const flags = [...beside, `--volume=${folder}/keys:/srv/keys`, "--env=KEYTURN_STORE=/srv/keys"];
    const args = ["validate", "--online"];
    const refused = await run(flags, ...args);
    expect(refused.stdout).toContain("KEYTURN_ALLOW_WRITE=/srv/keys");
    const allowed = await run([...flags, "--env=KEYTURN_ALLOW_WRITE=/srv/keys"], ...args);
    expect(allowed.stdout).toContain("/srv/keys is there and may be written");
    expect(allowed.stdout).not.toContain("Node's permission model");
  });
});
