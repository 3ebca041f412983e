import { expect, test } from "vitest";
import { createReload } from "../../src/probes/reload.ts";
import { consumer, deadPort, expected, realParts, saying, serve } from "./support.ts";

const run = (reload: object, parts = realParts()) =>
  createReload(consumer({ http: "http://127.0.0.1:1/" }, reload), parts)?.run(expected);

test("a consumer without a reload has none", () => {
  expect(createReload(consumer({ http: "http://127.0.0.1:1/" }), realParts())).toBeUndefined();
});

test("every URL is posted to, with the token", async () => {
  const seen: unknown[] = [];
  const port = await serve((request, response) => {
    seen.push(`${request.method} ${request.url} ${request.headers.authorization}`);
    response.writeHead(204).end();
  });
  const url = [`http://127.0.0.1:${port}/a`, `http://127.0.0.1:${port}/b`];
  await run({ http: { url, auth: { bearer: { env: "TOKEN" } } } }, realParts({}, { TOKEN: "t0ken" }));
  expect(seen.sort()).toEqual(["POST /a Bearer t0ken", "POST /b Bearer t0ken"]);
});

test("another method is the policy's to say", async () => {
  let method: string | undefined;
  const port = await serve((request, response) => {
    method = request.method;
    response.end();
  });
  await run({ http: { url: `http://127.0.0.1:${port}/`, method: "PUT" } });
  expect(method).toBe("PUT");
});

test("one URL that fails fails the reload, and the others are called all the same", async () => {
  let called = 0;
  const good = await serve((_, response) => {
    called += 1;
    response.end();
  });
  const bad = await saying("sk-or-v1-raw", 500);
  const both = [`http://127.0.0.1:${bad}/`, `http://127.0.0.1:${good}/`];
  await expect(run({ http: both })).rejects.toMatchObject({
    code: "unclear",
    status: 500,
    message: `reload of payments: 127.0.0.1:${bad} answered HTTP 500`,
  });
  expect(called).toBe(1);
});

test.each([
  [302, "rejected"],
  [400, "rejected"],
  [401, "unauthorized"],
  [403, "forbidden"],
  [404, "absent"],
  [503, "unclear"],
])("HTTP %i is %s", async (status, code) => {
  await expect(run({ http: `http://127.0.0.1:${await saying("", status)}/` })).rejects.toMatchObject({
    code,
  });
});

test("HTTP 429 is throttled, for as long as the consumer asks", async () => {
  const port = await serve((_, response) => response.writeHead(429, { "retry-after": "7" }).end());
  await expect(run({ http: `http://127.0.0.1:${port}/` })).rejects.toMatchObject({
    code: "throttled",
    retryAfterMs: 7_000,
  });
});

test("no listener is unreachable; no answer is unclear", async () => {
  await expect(run({ http: `http://127.0.0.1:${await deadPort()}/` })).rejects.toMatchObject({
    code: "unreachable",
  });
  const port = await serve(() => {});
  await expect(run({ http: `http://127.0.0.1:${port}/`, timeout: "100ms" })).rejects.toMatchObject({
    code: "unclear",
  });
});

test("a command reloads by ending with 0", async () => {
  await run({ exec: ["/bin/sh", "-c", 'test "$1" = v2', "sh", "{version}"] });
  await expect(run({ exec: ["/bin/sh", "-c", "echo busy >&2; exit 4"] })).rejects.toMatchObject({
    code: "unclear",
    message: "reload of payments: exit 4: busy",
  });
  await expect(run({ exec: ["/nowhere/reload"] })).rejects.toMatchObject({ code: "unusable" });
  await expect(run({ exec: ["sleep", "600"], timeout: "100ms" })).rejects.toMatchObject({ code: "unclear" });
});
