import { connect } from "node:net";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Secret } from "../../src/lib/secret.ts";
import { type Listening, serveHttp } from "../../src/telemetry/server.ts";
import { ask, eventOf, PageWorld, rotating, statusOf } from "../page/support.ts";
import { expectWithout, runs, soup } from "./generators.ts";

const TOKEN = "a-token-of-24-characters";
const KEY = `sk-or-v1-${"0123456789abcdef".repeat(4)}`;
/** What only the page shows. */
const SHOWN = "payments-secret-place";
const ELSEWHERE = "127.0.0.6";

let server: Listening;
const faults: unknown[] = [];

beforeAll(async () => {
  const world = new PageWorld([
    statusOf("payments-api", { target: SHOWN, message: `refused: ${KEY}` }),
    { ...rotating("search"), target: SHOWN },
  ]);
  world.events = [eventOf(1, { message: `created ${KEY}` })];
  server = await serveHttp(
    {
      page: world.page,
      health: { alive: () => world.worker, ready: () => world.worker },
      metrics: { contentType: "text/plain", text: async () => "m 1\n" },
      token: async () => new Secret(TOKEN),
      clock: world.clock,
      log: (level, fields, message) => faults.push([level, fields, message]),
    },
    { address: "127.0.0.1", port: 0 },
  );
});
afterAll(() => server.close());

/** Writes the parts one after another, and gives all that comes back; a stream is left once it has begun. */
function talk(parts: readonly string[], localAddress: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port: server.port, localAddress });
    let heard = "";
    socket.setEncoding("latin1").on("data", (chunk) => {
      heard += chunk;
      if (heard.includes("text/event-stream")) socket.destroy();
    });
    socket.on("error", () => {}).on("close", () => resolve(heard));
    const next = (at: number) => {
      const part = parts[at];
      if (socket.destroyed) return;
      if (part === undefined) socket.end();
      else socket.write(part, "latin1", () => setImmediate(next, at + 1));
    };
    socket.once("connect", () => next(0));
  });
}

const piece = soup(
  [
    "GET ",
    "HEAD ",
    "POST ",
    "CONNECT ",
    "OPTIONS * HTTP/1.1\r\n",
    "/",
    "/healthz",
    "/readyz",
    "/metrics",
    "/events",
    "/keys/payments-api",
    "/keys/",
    "/keys/../",
    "//",
    "http://localhost/",
    "http://[",
    "?q=%",
    "?page=1e9&state=__proto__&q=%00%ff",
    "#",
    " HTTP/1.1\r\n",
    " HTTP/1.0\r\n\r\n",
    " HTTP/9.9",
    "\r\n",
    "\r\n\r\n",
    "host: localhost\r\n",
    "host: evil.example\r\n",
    "Host: ][\r\n",
    "x-forwarded-for: 127.0.0.1\r\n",
    "authorization: Bearer x\r\n",
    "authorization: Basic Og==\r\n",
    "authorization: Basic \r\n",
    "content-length: 5\r\n",
    "content-length: -1\r\n",
    "transfer-encoding: chunked\r\n",
    "expect: 100-continue\r\n",
    "upgrade: websocket\r\nconnection: upgrade\r\n",
    "range: bytes=0-0\r\n",
    "sec-fetch-site: cross-site\r\n",
    "0\r\n\r\n",
    "\u0000",
  ],
  12,
);

test("whatever is sent from elsewhere is answered or hung up on, shows nothing of the page, and does no harm", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { minLength: 1, maxLength: 4 }), async (parts) => {
      const heard = await talk(parts, ELSEWHERE);
      expect(heard === "" || heard.startsWith("HTTP/1.1 ")).toBe(true);
      expect(heard).not.toMatch(/^HTTP\/1\.1 5/m);
      expectWithout([SHOWN, "payments-api", TOKEN, KEY, "text/event-stream"], heard);
    }),
    runs(400),
  );
  expect((await ask(server.port, "/healthz")).status).toBe(200);
  expect(faults).toEqual([]);
});

test("whatever is asked of the page on this machine shows no secret, and is no fault", async () => {
  const path = soup(
    [
      "/",
      "/keys/",
      "payments-api",
      "search",
      "none",
      "?",
      "q=",
      "state=",
      "held",
      "page=",
      "&",
      "%",
      "%2e",
      "..",
      "9".repeat(30),
      "-1",
      "<",
      "__proto__",
    ],
    8,
  );
  const header = fc.record({
    host: fc.constantFrom("localhost", "127.0.0.1:80", "evil.example", "localhost:"),
    accept: fc.constantFrom("text/html", "*/*", "text/event-stream"),
    method: fc.constantFrom("GET", "HEAD"),
  });
  await fc.assert(
    fc.asyncProperty(path, header, async (rest, { host, accept, method }) => {
      const address = `/${encodeURI(rest.toWellFormed()).replace(/[^\x21-\x7e]/g, "")}`;
      const { status, body } = await ask(server.port, address, { method, headers: { host, accept } });
      expect([200, 401, 404, 429]).toContain(status);
      expectWithout([KEY, TOKEN], body);
      if (host === "evil.example") expect(body).not.toContain(SHOWN);
    }),
    runs(200),
  );
  expect(faults).toEqual([]);
});

test("nobody gets past the gate by what else a request says", async () => {
  const name = fc.constantFrom(
    "host",
    "x-forwarded-for",
    "forwarded",
    "via",
    "cookie",
    "origin",
    "referer",
    "x-original-url",
    "x-http-method-override",
    "authorization",
  );
  const value = fc.oneof(
    fc.constantFrom("localhost", "127.0.0.1", "::1", "for=127.0.0.1", "/healthz", "Basic Og==", "Bearer "),
    fc.stringMatching(/^[!-~]{0,20}$/),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.dictionary(name, value, { maxKeys: 4 }),
      fc.constantFrom("/", "/keys/search", "/events"),
      async (headers, at) => {
        const { status, body } = await ask(server.port, at, { headers, from: ELSEWHERE });
        expect([400, 401, 429]).toContain(status);
        expectWithout([SHOWN, TOKEN], body);
      },
    ),
    runs(200),
  );
});
