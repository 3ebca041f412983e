import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { RotationError } from "../../src/lib/errors.ts";
import { Secret } from "../../src/lib/secret.ts";
import { type Listening, serveHttp } from "../../src/telemetry/server.ts";
import { ask, PageWorld, statusOf } from "../page/support.ts";

const TOKEN = "a-token-of-24-characters";
/** An address of this machine that is none of the two: a mesh delivers what comes from elsewhere from such a one. */
const MESH = "127.0.0.6";
const GUARDED = ["/", "/keys/payments-api", "/keys/none", "/keys/../x", "/events", "/?q=a"];
const basic = (pair: string) => ({ authorization: `Basic ${Buffer.from(pair).toString("base64")}` });

let world: PageWorld;
let server: Listening;
let token: () => Promise<Secret | undefined>;
let logged: string[];

beforeEach(async () => {
  world = new PageWorld([statusOf("payments-api")]);
  token = async () => new Secret(TOKEN);
  logged = [];
  server = await serveHttp(
    {
      page: world.page,
      health: { alive: () => world.worker, ready: () => world.worker },
      metrics: { contentType: "text/plain", text: async () => "m 1\n" },
      token: () => token(),
      clock: world.clock,
      log: (_, __, message) => logged.push(message),
    },
    { address: "127.0.0.1", port: 0 },
  );
});
afterEach(() => server.close());

const get = (path: string, headers: Record<string, string | string[]> = {}, from?: string) =>
  ask(server.port, path, { headers, ...(from ? { from } : {}) });
const statuses = async (
  paths: readonly string[],
  headers: Record<string, string | string[]>,
  from?: string,
) =>
  new Set(
    await Promise.all(
      paths
        .filter((path) => path !== "/events" || from)
        .map(async (path) => (await get(path, headers, from)).status),
    ),
  );

describe("on this machine", () => {
  test.each(["localhost", "localhost:9999", "127.0.0.1", "127.0.0.1:1", "[::1]:8080", "LOCALHOST"])(
    "the page is open by the name %s",
    async (host) => {
      expect((await get("/", { host })).status).toBe(200);
    },
  );

  test.each([
    "evil.example",
    "localhost.evil.example",
    "127.0.0.6",
    "127.0.0.1.nip.io",
    "[::1",
    "0.0.0.0",
    "localhost:80:80",
  ])("the page is not open by the name %j, to which a web site may have bound this address", async (host) => {
    expect((await get("/", { host })).status).not.toBe(200);
  });

  test.each([
    { "x-forwarded-for": "10.0.0.1" },
    { "X-Forwarded-Host": "localhost" },
    { forwarded: "for=10.0.0.1" },
    { via: "1.1 proxy" },
    { "x-real-ip": "127.0.0.1" },
    { "x-envoy-external-address": "10.0.0.1" },
    { "l5d-client-id": "web.shop.serviceaccount.identity" },
    { "x-original-forwarded-for": "" },
    { "x-forwarded": "for=10.0.0.1" },
    { "cf-connecting-ip": "10.0.0.1" },
    { "true-client-ip": "10.0.0.1" },
    { "x-client-ip": "10.0.0.1" },
  ])("the page is not open to what a proxy passes on: %j", async (headers) => {
    expect((await get("/", { host: "localhost", ...(headers as object) })).status).toBe(401);
  });

  test("the page is not open to another web site's page, and is to a link from there", async () => {
    const fetched = {
      "sec-fetch-site": "cross-site",
      "sec-fetch-mode": "no-cors",
      "sec-fetch-dest": "image",
    };
    expect((await get("/", fetched)).status).toBe(403);
    expect(
      (await get("/", { ...fetched, "sec-fetch-dest": "document", "sec-fetch-mode": "navigate" })).status,
    ).toBe(200);
    expect((await get("/", { "sec-fetch-site": "same-origin", "sec-fetch-mode": "cors" })).status).toBe(200);
  });
});

describe("from elsewhere", () => {
  test("the page needs the token, which a browser asks for; health and metrics are open", async () => {
    for (const path of GUARDED) {
      const { status, headers, body } = await get(path, {}, MESH);
      expect([path, status, headers["www-authenticate"]]).toEqual([
        path,
        401,
        'Basic realm="keyturn", charset="UTF-8"',
      ]);
      expect(body).toBe("The status page needs the token.\n");
    }
    expect(await statuses(["/healthz", "/readyz", "/metrics"], {}, MESH)).toEqual(new Set([200]));
  });

  test("the token lets in, as a bearer token and as the password of any user", async () => {
    for (const headers of [
      { authorization: `Bearer ${TOKEN}` },
      { authorization: `bearer  ${TOKEN} ` },
      basic(`:${TOKEN}`),
      basic(`ann:${TOKEN}`),
    ])
      expect((await get("/", headers, MESH)).status).toBe(200);
    expect((await get("/keys/none", { authorization: `Bearer ${TOKEN}` }, MESH)).status).toBe(404);
  });

  test.each<Record<string, string>>([
    { authorization: "Bearer wrong" },
    { authorization: `Bearer ${TOKEN}x` },
    { authorization: `Bearer ${TOKEN.slice(1)}` },
    { authorization: TOKEN },
    { authorization: `Digest ${TOKEN}` },
    { authorization: "Basic ====" },
    { authorization: `Bearer ${"x".repeat(5_000)}` },
    basic(TOKEN),
    basic(`${TOKEN}:`),
    basic(`a:b:${TOKEN}`),
    { cookie: TOKEN, "x-token": TOKEN },
  ])("nothing but the token does: %j", async (headers) => {
    for (const path of GUARDED) expect([401, 429]).toContain((await get(path, headers, MESH)).status);
  });

  test("without a token in the policy nobody is let in, and is told what to do", async () => {
    token = async () => undefined;
    const { status, body } = await get("/", { authorization: "Bearer undefined" }, MESH);
    expect([status, body]).toEqual([
      403,
      expect.stringContaining("Set server.token in the policy, or use kubectl port-forward"),
    ]);
  });

  test("a token that cannot be read lets nobody in; the log says so, now and then", async () => {
    token = async () => {
      throw new RotationError("unusable", "/run/token cannot be read (ENOENT)");
    };
    for (let n = 0; n < 3; n += 1)
      expect((await get("/", { authorization: "Bearer " }, MESH)).status).toBe(503);
    expect(logged).toEqual([
      "server.token cannot be used, so nobody is let to the status page: /run/token cannot be read (ENOENT)",
    ]);
    expect((await get("/")).status).toBe(200);
    world.now += 60_000;
    await get("/", {}, MESH);
    expect(logged).toHaveLength(2);
  });

  test("a token that can be guessed lets nobody in; the log says what to do", async () => {
    for (const short of ["1234", "x".repeat(15)]) {
      token = async () => new Secret(short);
      const { status, body } = await get("/", { authorization: `Bearer ${short}` }, MESH);
      expect([status, body]).toEqual([
        503,
        "The token cannot be used at present; the worker's log says why.\n",
      ]);
    }
    expect(logged).toEqual([
      "server.token cannot be used, so nobody is let to the status page: it is shorter than 16 characters",
    ]);
    token = async () => new Secret("x".repeat(16));
    expect((await get("/", { authorization: `Bearer ${"x".repeat(16)}` }, MESH)).status).toBe(200);
  });

  test("the token is read anew at each use", async () => {
    const headers = { authorization: `Bearer ${TOKEN}` };
    expect((await get("/", headers, MESH)).status).toBe(200);
    token = async () => new Secret("another-token-of-length");
    expect((await get("/", headers, MESH)).status).toBe(401);
  });

  test("wrong tokens are listened to ten times a minute from one address, then the right one too is not", async () => {
    const wrong = { authorization: "Bearer wrong" };
    for (let n = 0; n < 10; n += 1) expect((await get("/", wrong, MESH)).status).toBe(401);
    const { status, headers } = await get("/", wrong, MESH);
    expect([status, headers["retry-after"]]).toEqual([429, "60"]);
    const right = { authorization: `Bearer ${TOKEN}` };
    expect((await get("/", right, MESH)).status).toBe(429);
    expect((await get("/", right, "127.0.0.7")).status).toBe(200);
    expect((await get("/")).status).toBe(200);
    world.now += 60_000;
    for (let n = 0; n < 30; n += 1) expect((await get("/", right, MESH)).status).toBe(200);
  });

  test("wrong tokens from everywhere are listened to a hundred times a minute", async () => {
    const wrong = { authorization: "Bearer wrong" };
    for (let n = 0; n < 100; n += 1) expect((await get("/", wrong, `127.0.1.${n % 20}`)).status).toBe(401);
    expect((await get("/", wrong, "127.0.2.1")).status).toBe(429);
  });
});

test("the page may run only its own script and style, and is sent to no frame, cache or other site", async () => {
  const { headers, body } = await get("/");
  expect(headers["content-security-policy"]).toMatch(
    /^default-src 'none'; style-src 'sha256-[^ ]{44}'; script-src 'sha256-[^ ]{44}'; connect-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'$/,
  );
  expect(headers).toMatchObject({
    "content-type": "text/html; charset=utf-8",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
  });
  expect(body).not.toMatch(/ style="| on[a-z]+="|https?:\/\//);
});
