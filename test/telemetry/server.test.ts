import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { RotationError } from "../../src/lib/errors.ts";
import { Health } from "../../src/telemetry/health.ts";
import { type Listening, type ServerParts, serveHttp } from "../../src/telemetry/server.ts";

const LOOPBACK = { address: "127.0.0.1", port: 0 };

describe("the worker's server", () => {
  let now = 1_000_000;
  const clock = { now: () => now, sleep: async () => {} };
  const health = new Health(clock, 60_000);
  const logged: string[] = [];
  let metrics = async () => "keyturn_up 1\n";
  const parts: ServerParts = {
    health,
    clock,
    log: (_, fields, message) => logged.push(`${message} ${JSON.stringify(fields)}`),
    metrics: { contentType: "text/plain; version=0.0.4", text: () => metrics() },
  };
  let server: Listening;
  beforeAll(async () => {
    server = await serveHttp(parts, LOOPBACK);
  });
  afterAll(() => server.close());

  const get = (path: string, init: RequestInit = {}) => fetch(`http://127.0.0.1:${server.port}${path}`, init);
  const ask = async (path: string, init: RequestInit = {}) => {
    const response = await get(path, init);
    const body = await response.text();
    return { status: response.status, body: body && JSON.parse(body), allow: response.headers.get("allow") };
  };

  it("is alive and not ready before the journal has been read and a pass has ended", async () => {
    expect(await ask("/healthz")).toMatchObject({ status: 200, body: { status: "ok" } });
    expect(await ask("/readyz")).toMatchObject({
      status: 503,
      body: { status: "failing", problems: ["the journal has not been read yet", "no pass has ended yet"] },
    });
  });

  it("is ready once the journal is read and a pass went through, whatever a query says", async () => {
    health.turned();
    health.read();
    expect((await ask("/readyz")).status).toBe(503);
    health.passed([{ key: "payments-api", message: "nothing to do" }]);
    expect(await ask("/readyz?verbose")).toMatchObject({ status: 200, body: { status: "ok" } });
  });

  it("names the provider or store that holds a key up, until the key goes on", async () => {
    const down = { key: "payments-api", message: "openrouter cannot be reached", code: "unreachable" };
    health.passed([down]);
    health.passed([{ ...down, message: "another pass has it", code: "busy" }]);
    expect((await ask("/readyz")).body.problems).toEqual(["payments-api: openrouter cannot be reached"]);
    expect((await ask("/healthz")).status).toBe(200);
    health.passed([{ key: "payments-api", message: "billing is down", code: "consumer-unhealthy" }]);
    expect((await ask("/readyz")).status).toBe(200);
  });

  it("says that the journal cannot be read or written and that a pass was broken off, with what to do", async () => {
    health.read(new RotationError("forbidden", "may not read it", { hint: "allow it" }));
    health.written(new RotationError("full", "no space left", { hint: "make room" }));
    health.passed(new RotationError("internal", "something is wrong"));
    expect((await ask("/readyz")).body.problems).toEqual([
      "the journal cannot be read: may not read it; allow it",
      "the journal cannot be written: no space left; make room",
      "the last pass failed: something is wrong",
    ]);
    health.read();
    health.written();
    health.passed([]);
    expect((await ask("/readyz")).status).toBe(200);
  });

  it("stays ready with a refused policy file, and warns of it", async () => {
    health.policyLoaded(false, "rotation.yaml is invalid; the old policy stays in force");
    expect(await ask("/readyz")).toMatchObject({
      status: 200,
      body: { status: "ok", warnings: ["rotation.yaml is invalid; the old policy stays in force"] },
    });
    health.policyLoaded(true);
    expect((await ask("/readyz")).body).toEqual({ status: "ok" });
  });

  it("is not ready when no pass has ended for too long, though the loop turns", async () => {
    now += 60_001;
    health.turned();
    expect((await ask("/healthz")).status).toBe(200);
    expect((await ask("/readyz")).body.problems).toEqual(["no pass has ended for 60 seconds"]);
    health.passed([{ key: "payments-api", message: "another pass has it", code: "busy" }]);
    expect((await ask("/readyz")).status).toBe(200);
  });

  it("is neither alive nor ready when the loop has not turned for too long", async () => {
    now += 60_001;
    const problems = ["no pass has begun for 60 seconds: the worker hangs"];
    expect(await ask("/healthz")).toMatchObject({ status: 503, body: { problems } });
    expect(await ask("/readyz")).toMatchObject({ status: 503, body: { problems } });
    now -= 3_600_000;
    expect((await ask("/healthz")).status).toBe(200);
    health.turned();
  });

  it("shows no more than a bounded list of problems", async () => {
    health.passed(
      Array.from({ length: 500 }, (_, n) => ({ key: `k${n}`, message: "down", code: "unclear" })),
    );
    const { problems } = (await ask("/readyz")).body;
    expect(problems).toHaveLength(21);
    expect(problems.at(-1)).toBe("and 480 more");
  });

  it("gives the metrics as their library writes them; what fails there is logged, and not sent", async () => {
    const good = await get("/metrics");
    expect([good.status, good.headers.get("content-type"), await good.text()]).toEqual([
      200,
      "text/plain; version=0.0.4",
      "keyturn_up 1\n",
    ]);
    metrics = async () => {
      throw new Error("the registry is gone");
    };
    const bad = await get("/metrics");
    expect([bad.status, await bad.text()]).toEqual([
      500,
      "The metrics could not be made; the worker's log says why.\n",
    ]);
    expect(logged.at(-1)).toContain("the registry is gone");
  });

  it("answers HEAD without a body, refuses other methods with 405 and other paths with 404", async () => {
    expect(await ask("/healthz", { method: "HEAD" })).toMatchObject({ status: 200, body: "" });
    for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "PROPFIND"])
      expect(
        await ask("/healthz", { method, ...(method === "POST" && { body: "x".repeat(100_000) }) }),
      ).toMatchObject({
        status: 405,
        allow: "GET, HEAD",
      });
    for (const path of ["/", "/healthz/", "/keys/payments-api", "/events", "//healthz"])
      expect(await ask(path)).toMatchObject({ status: 404 });
  });

  it("forbids on every answer to run, frame, keep or guess at it, and names no software", async () => {
    for (const path of ["/healthz", "/readyz", "/metrics", "/none"]) {
      const { headers } = await get(path);
      expect(Object.fromEntries(headers)).toMatchObject({
        "content-security-policy":
          "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "cache-control": "no-store",
      });
      expect([headers.get("server"), headers.get("x-powered-by")]).toEqual([null, null]);
    }
  });

  it("answers what is no HTTP, and headers without an end, with an error and hangs up", async () => {
    for (const bytes of ["\0\0\r\n\r\n", `GET /healthz HTTP/1.1\r\nx: ${"x".repeat(20_000)}\r\n\r\n`]) {
      const socket = connect(server.port, "127.0.0.1");
      socket.write(bytes);
      expect(await text(socket)).toMatch(/^HTTP\/1\.1 4\d\d /);
    }
  });

  it("answers one request of a connection: what was sent behind it in one go costs nothing", async () => {
    let made = 0;
    metrics = async () => {
      made += 1;
      return "keyturn_up 1\n";
    };
    const socket = connect(server.port, "127.0.0.1").on("error", () => {});
    socket.write("GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n".repeat(200));
    expect(await text(socket)).toContain("keyturn_up 1");
    expect(made).toBe(1);
  });

  it("takes the cookies that a browser has for other programs on localhost", async () => {
    const headers = { cookie: `a=${"x".repeat(12_000)}` };
    expect((await ask("/healthz", { headers })).status).toBe(200);
  });

  it("answers although hundreds of connections stay open and say nothing", async () => {
    const idle = Array.from({ length: 300 }, () => connect(server.port, "127.0.0.1").on("error", () => {}));
    await Promise.all(idle.map((socket) => new Promise((resolve) => socket.once("connect", resolve))));
    expect((await ask("/healthz")).status).toBe(200);
    for (const socket of idle) socket.destroy();
  });

  it("says what to do when the port is taken", async () => {
    const taken = serveHttp(parts, { address: "127.0.0.1", port: server.port });
    await expect(taken).rejects.toMatchObject({
      code: "busy",
      message: `cannot listen on 127.0.0.1:${server.port} (EADDRINUSE)`,
      hint: expect.stringContaining("server.port"),
    });
  });

  it("closes although a connection is open", async () => {
    const other = await serveHttp(parts, LOOPBACK);
    const socket = connect(other.port, "127.0.0.1");
    await new Promise((resolve) => socket.once("connect", resolve));
    const closed = new Promise((resolve) => socket.on("error", () => {}).once("close", resolve));
    await other.close();
    await closed;
  });
});
