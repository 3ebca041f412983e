import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { describe, test } from "vitest";
import { ask } from "../page/support.ts";
import { currentKey, rotate, startWorker, startWorld, type World, type WorldOptions } from "./world.ts";

/** For startWorld: the worker serves on a port of its own. */
function serving(port = 0): WorldOptions {
  return { policy: (yaml) => yaml.replace("keys:\n", `server: { port: ${port} }\nkeys:\n`) };
}

/** A worker, and how to ask it. */
async function startServing(world: World) {
  const worker = startWorker(world);
  await worker.says(/serves \/healthz/);
  const port = /"port":(\d+)/.exec(worker.log())?.[1];
  const ask = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`);
    return { status: response.status, body: await response.text() };
  };
  /** Asks until the answer has that status. */
  const until = async (path: string, status: number) => {
    for (;;) {
      const answer = await ask(path);
      if (answer.status === status) return answer;
      await world.sandbox.model.clock.sleep(50);
    }
  };
  return { ...worker, port: Number(port), ask, until };
}

describe.concurrent("the health of rotate worker", { timeout: 60_000 }, () => {
  test("is alive and becomes ready; upon SIGTERM the port is given back", async ({ expect }) => {
    await using world = await startWorld(serving());
    const worker = await startServing(world);
    expect(await worker.ask("/healthz")).toEqual({ status: 200, body: '{"status":"ok"}\n' });
    expect(await worker.until("/readyz", 200)).toEqual({ status: 200, body: '{"status":"ok"}\n' });
    expect(await worker.stop()).toEqual({ status: 0 });
    await expect(worker.ask("/healthz")).rejects.toThrow("fetch failed");
  });

  test("is not ready, and says why without a secret, while the provider refuses the management key", async ({
    expect,
  }) => {
    await using world = await startWorld({ every: "1s", ...serving() });
    const env = { ...world.env, OPENROUTER_MANAGEMENT_KEY: "sk-or-v1-canary-of-a-wrong-management-key" };
    const worker = await startServing({ ...world, env });
    const ready = async () => (await worker.ask("/readyz")).body;
    // Before that, no pass has ended yet.
    await expect.poll(ready, { timeout: 30_000 }).toContain('"problems":["payments-api: ');
    const { status, body } = await worker.ask("/readyz");
    expect(status).toBe(503);
    expect(JSON.parse(body).problems).toHaveLength(1);
    expect(body).not.toContain("canary");
    expect((await worker.ask("/healthz")).status).toBe(200);
    await worker.stop();
  });

  test("shows the status page on this machine, and elsewhere to who brings the token of the policy", async ({
    expect,
  }) => {
    await using world = await startWorld({
      policy: (yaml) =>
        yaml.replace(
          "keys:\n",
          "server: { address: 0.0.0.0, port: 0, token: { file: ./page-token } }\nkeys:\n",
        ),
    });
    await writeFile(join(world.sandbox.folder, "page-token"), "a-token-of-24-characters\n");
    const worker = await startServing(world);
    await worker.until("/readyz", 200);
    const page = await worker.ask("/keys/payments-api");
    expect(page.status).toBe(200);
    expect(page.body).toContain("payments-api");
    expect(page.body).not.toContain(currentKey(world));
    // An address of this machine that stands for one elsewhere.
    const from = (headers: Record<string, string>) => ask(worker.port, "/", { from: "127.0.0.6", headers });
    expect((await from({})).status).toBe(401);
    expect((await from({ authorization: "Bearer a-token-of-24-characters" })).status).toBe(200);
    expect((await worker.ask("/metrics")).body).toContain("keyturn_");
    await worker.stop();
  });

  test("does not start where the port is taken", async ({ expect }) => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    try {
      const { port } = other.address() as { port: number };
      await using world = await startWorld(serving(port));
      const { status, stderr } = await rotate(world, ["worker"]);
      expect(stderr).toContain(`cannot listen on 127.0.0.1:${port} (EADDRINUSE)`);
      expect(status).toBe(1);
    } finally {
      other.close();
    }
  });
});
