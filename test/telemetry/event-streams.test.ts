import { type ClientRequest, get, type IncomingMessage } from "node:http";
import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Secret } from "../../src/lib/secret.ts";
import type { PageChange } from "../../src/telemetry/event-streams.ts";
import { type Listening, type StatusPage, serveHttp } from "../../src/telemetry/server.ts";
import { ask, PageWorld, rotating, settled, statusOf } from "../page/support.ts";

let world: PageWorld;
let server: Listening;
let opened: ClientRequest[];

beforeEach(async () => {
  world = new PageWorld([statusOf("a"), statusOf("b")]);
  opened = [];
  const ok = { alive: () => world.worker, ready: () => world.worker };
  const parts = { page: world.page, health: ok, clock: world.clock, log: () => {} };
  server = await serveHttp(parts, { address: "127.0.0.1", port: 0 });
});
afterEach(async () => {
  for (const request of opened) request.destroy();
  await server.close();
});

interface Stream {
  response: IncomingMessage;
  text(): string;
  /** Resolves once what was heard matches. */
  hears(pattern: RegExp): Promise<void>;
  ended: Promise<void>;
}

function open(): Promise<Stream> {
  return new Promise((resolve, reject) => {
    const request = get(
      { host: "127.0.0.1", port: server.port, path: "/events", agent: false },
      (response) => {
        let heard = "";
        const waiting = new Set<() => void>();
        response.on("error", () => {}).setEncoding("utf8");
        response.on("data", (chunk: string) => {
          heard += chunk;
          for (const look of waiting) look();
        });
        const ended = new Promise<void>((done) => response.once("close", done));
        const hears = (pattern: RegExp) =>
          new Promise<void>((done) => {
            const look = () => pattern.test(heard) && done();
            waiting.add(look);
            look();
          });
        resolve({ response, text: () => heard, hears, ended });
      },
    );
    request.on("error", reject);
    opened.push(request);
  });
}

describe("the stream of events", () => {
  test("begins with what is shown now, and tells each change by its keys", async () => {
    await world.show();
    const stream = await open();
    expect(stream.response.headers).toMatchObject({
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store",
    });
    await stream.hears(/^retry: 3000\nevent: version\ndata: \{"version":"[0-9a-f]{16}"\}\n\n/);
    world.keys = [statusOf("a"), rotating("b")];
    await world.pass(1_000);
    await world.pass(4_000);
    await stream.hears(/event: change\ndata: \{"version":"[0-9a-f]{16}","keys":\["b"\]\}\n\n/);
  });

  test("says now and then that it is there, and ends after a quarter of an hour, so that rights are looked at again", async () => {
    const stream = await open();
    await stream.hears(/version/);
    await world.pass(15_000);
    await stream.hears(/: here\n\n/);
    await world.pass(15 * 60_000);
    await stream.ended;
  });

  test("is for sixteen at once; health and page are answered meanwhile, and who leaves makes room", async () => {
    const streams = await Promise.all(Array.from({ length: 16 }, open));
    expect(await ask(server.port, "/events")).toMatchObject({
      status: 503,
      headers: { "retry-after": "30" },
    });
    expect((await ask(server.port, "/healthz")).status).toBe(200);
    expect((await ask(server.port, "/")).status).toBe(200);
    opened[0]?.destroy();
    await streams[0]?.ended;
    let again = await ask(server.port, "/events", { method: "HEAD" });
    while (again.status === 503) again = await ask(server.port, "/events", { method: "HEAD" });
    expect((await open()).response.statusCode).toBe(200);
  });

  test("lets go of a client that does not read, and nothing is watched for it any more", async () => {
    let tell: ((change: PageChange) => void) | undefined;
    const page: StatusPage = {
      version: "v",
      show: async () => undefined,
      watch: (listener) => {
        tell = listener;
        return () => {
          tell = undefined;
        };
      },
    };
    const ok = { alive: () => world.worker, ready: () => world.worker };
    const parts = { page, health: ok, clock: world.clock, log: () => {} };
    const busy = await serveHttp(parts, { address: "127.0.0.1", port: 0 });
    const deaf = connect(busy.port, "127.0.0.1").on("error", () => {});
    deaf.pause().write("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
    while (tell === undefined) await settled();
    const keys = Array.from({ length: 100 }, (_, n) => `key-${n}-${"x".repeat(50)}`);
    for (; tell !== undefined; await settled()) for (let n = 0; n < 100; n += 1) tell({ version: "v", keys });
    deaf.destroy();
    await busy.close();
  });

  test("keeps no place for a client that left while its token was looked at, or that asked many times at once", async () => {
    let watched = 0;
    const page: StatusPage = {
      version: "v",
      show: async () => undefined,
      watch: () => {
        watched += 1;
        return () => {
          watched -= 1;
        };
      },
    };
    const reading = new Set<() => void>();
    const token = () =>
      new Promise<Secret>((resolve) => reading.add(() => resolve(new Secret("a-token-of-24-characters"))));
    const ok = { alive: () => world.worker, ready: () => world.worker };
    const parts = { page, health: ok, token, clock: world.clock, log: () => {} };
    const slow = await serveHttp(parts, { address: "127.0.0.1", port: 0 });
    const asked = (host: string) =>
      `GET /events HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer a-token-of-24-characters\r\n\r\n`;

    const gone = Array.from({ length: 16 }, () => connect(slow.port, "127.0.0.1").on("error", () => {}));
    for (const socket of gone) socket.write(asked("elsewhere"));
    while (reading.size < 16) await settled();
    for (const socket of gone) socket.destroy();
    expect((await ask(slow.port, "/healthz")).status).toBe(200);
    for (const read of reading) read();
    await settled();
    expect(watched).toBe(0);

    const greedy = connect(slow.port, "127.0.0.1").on("error", () => {});
    greedy.write(asked("localhost").repeat(16));
    while (watched === 0) await settled();
    expect((await ask(slow.port, "/events", { method: "HEAD" })).status).toBe(200);
    greedy.destroy();
    while (watched > 0) await settled();
    expect((await ask(slow.port, "/events", { method: "HEAD" })).status).toBe(200);
    await slow.close();
  });

  test("ends when the server closes", async () => {
    const stream = await open();
    await stream.hears(/version/);
    await server.close();
    await stream.ended;
  });
});
