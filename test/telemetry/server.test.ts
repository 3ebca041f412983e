import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { RotationError } from "../../src/lib/errors.ts";
import { Health } from "../../src/telemetry/health.ts";
import { type Listening, serveHealth } from "../../src/telemetry/server.ts";

describe("the worker's health server", () => {
  let now = 1_000_000;
  const clock = { now: () => now, sleep: async () => {} };
  const health = new Health(clock, 60_000);
  let server: Listening;
  beforeAll(async () => {
    server = await serveHealth(health, { address: "127.0.0.1", port: 0 });
  });
  afterAll(() => server.close());

  const ask = async (path: string, init: RequestInit = {}) => {
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`, init);
    const body = await response.text();
    return { status: response.status, body: body && JSON.parse(body), allow: response.headers.get("allow") };
  };

  it("is alive and not ready before the journal has been read", async () => {
    expect(await ask("/healthz")).toMatchObject({ status: 200, body: { status: "ok" } });
    expect(await ask("/readyz")).toMatchObject({
      status: 503,
      body: { status: "failing", problems: ["the journal has not been read yet"] },
    });
  });

  it("is ready once the journal is read and a pass went through, whatever a query says", async () => {
    health.turned();
    health.read();
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

  it("says that the journal cannot be read and that a pass was broken off, with what to do", async () => {
    health.read(new RotationError("forbidden", "may not read it", { hint: "allow it" }));
    health.passed(new RotationError("internal", "something is wrong"));
    expect((await ask("/readyz")).body.problems).toEqual([
      "the journal cannot be read: may not read it; allow it",
      "the last pass failed: something is wrong",
    ]);
    health.read();
    health.passed([]);
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

  it("answers HEAD without a body, refuses other methods with 405 and other paths with 404", async () => {
    expect(await ask("/healthz", { method: "HEAD" })).toMatchObject({ status: 200, body: "" });
    expect(await ask("/healthz", { method: "POST", body: "x".repeat(100_000) })).toMatchObject({
      status: 405,
      allow: "GET, HEAD",
    });
    for (const path of ["/", "/healthz/", "/metrics", "//healthz"])
      expect(await ask(path)).toMatchObject({ status: 404 });
  });

  it("answers what is no HTTP, and headers without an end, with an error and hangs up", async () => {
    for (const bytes of ["\0\0\r\n\r\n", `GET /healthz HTTP/1.1\r\nx: ${"x".repeat(20_000)}\r\n\r\n`]) {
      const socket = connect(server.port, "127.0.0.1");
      socket.write(bytes);
      expect(await text(socket)).toMatch(/^HTTP\/1\.1 4\d\d /);
    }
  });

  it("says what to do when the port is taken", async () => {
    const taken = serveHealth(health, { address: "127.0.0.1", port: server.port });
    await expect(taken).rejects.toMatchObject({
      code: "busy",
      message: `cannot listen on 127.0.0.1:${server.port} (EADDRINUSE)`,
      hint: expect.stringContaining("server.port"),
    });
  });

  it("closes although a connection is open", async () => {
    const other = await serveHealth(health, { address: "127.0.0.1", port: 0 });
    const socket = connect(other.port, "127.0.0.1");
    await new Promise((resolve) => socket.once("connect", resolve));
    const closed = new Promise((resolve) => socket.on("error", () => {}).once("close", resolve));
    await other.close();
    await closed;
  });
});
