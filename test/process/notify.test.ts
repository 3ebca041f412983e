import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { Webhook } from "standardwebhooks";
import { describe, type ExpectStatic, test } from "vitest";
import type { NotificationBody } from "../../src/notify/schema.ts";
import { rotate, startWorker, startWorld, type World, type WorldOptions } from "./world.ts";

const SECRET = `whsec_${Buffer.from("thirty-two bytes of a signature!").toString("base64")}`;
const COURSE = ["planned", "promoted", "confirmed", "completed"];

/** A receiver on loopback; `status` may be changed, and `came` resolves with the n-th request that it took. */
async function receiver() {
  const taken: { headers: IncomingHttpHeaders; text: string; body: NotificationBody }[] = [];
  const waiting = new Set<() => void>();
  const self = { status: 204, taken, url: "", events: () => taken.map(({ body }) => body.event) };
  const server = createServer(async (request, response) => {
    const sent = await text(request);
    if (self.status < 300) taken.push({ headers: request.headers, text: sent, body: JSON.parse(sent) });
    response.writeHead(self.status).end();
    for (const look of waiting) look();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  self.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook-canary-of-a-secret-url`;
  return Object.assign(self, {
    came: (count: number) =>
      new Promise<void>((resolve) => {
        const look = () => {
          if (taken.length < count) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}

function telling(on: string): WorldOptions {
  const entry = `{ http: { url: { env: HOOK_URL } }, secret: { env: HOOK_SECRET }, on: [${on}] }`;
  return { policy: (yaml) => `${yaml}    notify: [${entry}]\n` };
}

async function worldTelling(hook: { url: string }, on: string, more: WorldOptions = {}): Promise<World> {
  const world = await startWorld({ ...telling(on), ...more });
  Object.assign(world.env, { HOOK_URL: hook.url, HOOK_SECRET: SECRET });
  return world;
}

function requireSigned(expect: ExpectStatic, hook: Awaited<ReturnType<typeof receiver>>): void {
  for (const { headers, text, body } of hook.taken) {
    expect(headers["webhook-id"]).toBe(body.id);
    expect(new Webhook(SECRET).verify(text, headers as Record<string, string>)).toEqual(body);
  }
}

describe.concurrent("notifications", { timeout: 60_000 }, () => {
  test("of a rotation by hand are there when the command ends, signed, each once", async ({ expect }) => {
    await using hook = await receiver();
    await using world = await worldTelling(hook, [...COURSE, "pass"].join(", "));
    const { status, stderr } = await rotate(world, ["--now", "payments-api"]);
    expect([status, hook.events().sort()]).toEqual([0, [...COURSE, "pass"].sort()]);
    expect(new Set(hook.taken.map(({ body }) => body.id)).size).toBe(5);
    requireSigned(expect, hook);
    expect(stderr).not.toMatch(/canary|whsec/);
    await rotate(world, ["once", "--no-start"]);
    expect(hook.events().filter((event) => event !== "pass")).toHaveLength(4);
  });

  test("that nobody took change no exit status, and the next pass delivers them", async ({ expect }) => {
    await using hook = await receiver();
    await using world = await worldTelling(hook, COURSE.join(", "));
    hook.status = 404;
    const { status, stderr } = await rotate(world, ["--now", "payments-api"]);
    expect(status).toBe(0);
    expect(stderr).toMatch(/was not delivered to 127\.0\.0\.1:\d+, and is tried again: .* HTTP 404/);
    expect(stderr).not.toMatch(/canary|whsec/);
    hook.status = 204;
    await rotate(world, ["once"]);
    expect(hook.events()).toEqual(COURSE);
    requireSigned(expect, hook);
  });

  test("survive a SIGKILL after the commit that they tell of", async ({ expect }) => {
    await using hook = await receiver();
    await using world = await worldTelling(hook, COURSE.join(", "));
    // The first request is the one by which it would be told that the rotation is planned.
    hook.status = 503;
    const killed = await rotate(world, ["--now", "payments-api"], { killAt: "rename:3:after" });
    expect(killed.signal).toBe("SIGKILL");
    hook.status = 204;
    const { status } = await rotate(world, ["once"]);
    expect([status, hook.events()]).toEqual([0, COURSE]);
  });

  test("go out from a worker while it works", async ({ expect }) => {
    await using hook = await receiver();
    await using world = await worldTelling(hook, "completed, pass", { every: "3s" });
    const worker = startWorker(world);
    await hook.came(2);
    await worker.stop();
    expect(new Set(hook.events())).toEqual(new Set(["completed", "pass"]));
    requireSigned(expect, hook);
    expect(worker.log()).not.toMatch(/canary|whsec/);
  });
});
