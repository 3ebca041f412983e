import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { inspect } from "node:util";
import { generate } from "selfsigned";
import { afterEach, expect, it } from "vitest";
import type { RotationError } from "../../src/lib/errors.ts";
import type { HttpRequest } from "../../src/lib/http.ts";
import { fetchSend } from "../../src/lib/http-fetch.ts";
import { Secret } from "../../src/lib/secret.ts";

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function listen(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

async function origin(answer: RequestListener): Promise<string> {
  return `http://127.0.0.1:${await listen(createServer(answer))}`;
}

const send = fetchSend();
const get = (url: string, more: Partial<HttpRequest> = {}) =>
  send({ method: "GET", url, timeoutMs: 10_000, maxBytes: 1000, ...more });
const failure = (call: Promise<unknown>): Promise<RotationError> =>
  call.then(
    () => Promise.reject(new Error("the call succeeded")),
    (error) => error,
  );

it("sends method, headers, secrets and body, and returns status, headers and body", async () => {
  const url = await origin(async (request, response) => {
    const body = Buffer.concat(await request.toArray()).toString();
    response.writeHead(418, {
      "X-Seen": `${request.method} ${request.url} ${request.headers.authorization} ${body}`,
    });
    response.end("short and stout");
  });
  const headers = { Authorization: new Secret("Bearer abc"), "content-type": "text/plain" };
  const answer = await get(`${url}/a?b=c`, { method: "POST", headers, body: "hello" });
  expect(answer).toMatchObject({ status: 418, body: "short and stout" });
  expect(answer.headers["x-seen"]).toBe("POST /a?b=c Bearer abc hello");
});

it("returns a redirect as it came, and does not follow it", async () => {
  let calls = 0;
  const url = await origin((_, response) => {
    calls++;
    response.writeHead(307, { location: "/elsewhere" }).end();
  });
  expect(await get(url)).toMatchObject({ status: 307, headers: { location: "/elsewhere" } });
  expect(calls).toBe(1);
});

it("stops reading a body that never ends", async () => {
  const url = await origin((_, response) => {
    const more = () => response.writable && response.write("x".repeat(500), () => setImmediate(more));
    more();
  });
  expect(await failure(get(url))).toMatchObject({ code: "malformed" });
});

it("reads a body of exactly the permitted length", async () => {
  const url = await origin((_, response) => response.end("x".repeat(1000)));
  expect((await get(url)).body).toHaveLength(1000);
});

it("is unclear about a connection that breaks before an answer", async () => {
  const url = await origin((request) => request.socket.resetAndDestroy());
  expect(await failure(get(url))).toMatchObject({ code: "unclear" });
});

it("is unclear about an answer that breaks off in the middle", async () => {
  const url = await origin((_, response) => {
    response.writeHead(200, { "content-length": "100" });
    response.write("half", () => response.destroy());
  });
  expect(await failure(get(url))).toMatchObject({ code: "unclear" });
});

it("is unclear about an answer that does not come in time, headers or body", async () => {
  const silent = await origin(() => {});
  expect(await failure(get(silent, { timeoutMs: 50 }))).toMatchObject({
    code: "unclear",
    message: expect.stringContaining("within 0.05 s"),
  });
  const slow = await origin((_, response) => void response.write("and then"));
  expect(await failure(get(slow, { timeoutMs: 50 }))).toMatchObject({ code: "unclear" });
});

it("is unclear about a call that was stopped, and sends none that was stopped before", async () => {
  const url = await origin(() => stop.abort());
  const stop = new AbortController();
  expect(await failure(get(url, { signal: stop.signal }))).toMatchObject({ code: "unclear" });
  expect(await failure(get(url, { signal: stop.signal }))).toMatchObject({ code: "unreachable" });
});

it("says unreachable where nobody listens", async () => {
  const port = await listen(createServer());
  await new Promise((resolve) => servers.pop()?.close(resolve));
  expect(await failure(get(`http://127.0.0.1:${port}`))).toMatchObject({
    code: "unreachable",
    message: expect.stringContaining("ECONNREFUSED"),
  });
});

it("says unreachable, with a hint at DNS, for a name that does not exist", async () => {
  const error = await failure(get("http://no-such-host.invalid/"));
  expect(error).toMatchObject({ code: "unreachable", hint: expect.stringContaining("DNS") });
});

it("says unreachable, with a hint at authorities, for a certificate that nobody vouches for", async () => {
  const { private: key, cert } = await generate([{ name: "commonName", value: "localhost" }]);
  let calls = 0;
  const port = await listen(createTlsServer({ key, cert }, () => calls++) as unknown as Server);
  const error = await failure(get(`https://127.0.0.1:${port}/`));
  expect(error).toMatchObject({ code: "unreachable", hint: expect.stringContaining("NODE_EXTRA_CA_CERTS") });
  expect(calls).toBe(0);
});

it("says unreachable for https at a port that speaks http", async () => {
  const url = await origin((_, response) => response.end());
  const error = await failure(get(url.replace("http:", "https:")));
  expect(error).toMatchObject({ code: "unreachable", hint: expect.stringContaining("http://") });
});

it("refuses a URL or header that HTTP does not allow, without quoting what may be secret", async () => {
  const calls = [
    get("not a url s3cret"),
    get("ftp://host/s3cret"),
    get("http://user:s3cret@127.0.0.1/"),
    get("http://127.0.0.1/", { headers: { authorization: new Secret("Bearer s3cret\nx") } }),
  ];
  for (const call of calls) {
    const error = await failure(call);
    expect(error.code).toBe("unusable");
    expect(inspect(error, { depth: 9 })).not.toContain("s3cret");
  }
});

it("names the origin in errors, not the path, which may be a secret", async () => {
  const url = await origin((request) => request.socket.destroy());
  const error = await failure(get(`${url}/services/s3cret?token=s3cret`));
  expect(error.message).toContain(url);
  expect(inspect(error, { depth: 9 })).not.toContain("s3cret");
});
