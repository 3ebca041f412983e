import { createServer } from "node:http";
import { connect } from "node:net";
import type { TLSSocket } from "node:tls";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { type DirectRequest, directSend } from "../../src/lib/http-direct.ts";
import { Secret } from "../../src/lib/secret.ts";
import {
  authority,
  certificate,
  deadPort,
  listen,
  type Pair,
  serve,
  serveRaw,
  serveTls,
} from "../probes/support.ts";

let ca: Pair;
let internal: Pair;
let client: Pair;
beforeAll(async () => {
  ca = await authority();
  internal = await certificate("billing.internal", ca);
  client = await certificate("keyturn", ca);
});

const send = (request: Partial<DirectRequest> & { url: string }) =>
  directSend()({ method: "GET", timeoutMs: 5_000, maxBytes: 65_536, ...request });

test("status, headers and body of an answer come back, whatever the status", async () => {
  const port = await serve((_, response) => {
    response.writeHead(503, { "X-Twice": ["a", "b"], "Content-Type": "text/plain" });
    response.end("dö");
  });
  const answer = await send({ url: `http://127.0.0.1:${port}/` });
  expect(answer).toMatchObject({ status: 503, body: "dö" });
  expect(answer.headers).toMatchObject({ "x-twice": "a, b", "content-type": "text/plain" });
});

test("method, path, query, secret headers and body reach the server", async () => {
  const port = await serve(async (request, response) => {
    const body = (await request.toArray()).join("");
    const { method, url, headers } = request;
    response.end(JSON.stringify([method, url, headers.authorization, headers["content-length"], body]));
  });
  const answer = await send({
    url: `http://127.0.0.1:${port}/a%20b?c=d`,
    method: "DELETE",
    headers: { Authorization: new Secret("Bearer t") },
    body: "ü",
  });
  expect(JSON.parse(answer.body)).toEqual(["DELETE", "/a%20b?c=d", "Bearer t", "2", "ü"]);
});

test("a redirect is an answer like any other", async () => {
  let asked = 0;
  const port = await serve((_, response) => {
    asked += 1;
    response.writeHead(302, { location: "/elsewhere" }).end();
  });
  expect(await send({ url: `http://127.0.0.1:${port}/` })).toMatchObject({
    status: 302,
    headers: { location: "/elsewhere" },
  });
  expect(asked).toBe(1);
});

test("each request has a connection of its own", async () => {
  const ports = new Set<number | undefined>();
  const port = await serve((request, response) => {
    ports.add(request.socket.remotePort);
    response.end();
  });
  const send2 = directSend();
  for (let i = 0; i < 3; i++)
    await send2({ url: `http://127.0.0.1:${port}/`, method: "GET", timeoutMs: 5_000, maxBytes: 10 });
  expect(ports.size).toBe(3);
});

test("a port that fetch would refuse is asked all the same", async () => {
  const port = await serve((_, response) => response.end("here"), "127.0.0.1", 6666).catch(() => undefined);
  if (port === undefined) return; // somebody else listens on it
  expect((await send({ url: `http://127.0.0.1:${port}/` })).body).toBe("here");
});

test("an address given is connected to, and the Host header stays that of the URL", async () => {
  const port = await serve((request, response) => response.end(request.headers.host), "127.0.0.2");
  const answer = await send({ url: `http://payments.internal:${port}/`, address: "127.0.0.2" });
  expect(answer.body).toBe(`payments.internal:${port}`);
});

test("an IPv6 address in the URL is connected to", async () => {
  const port = await serve((request, response) => response.end(request.headers.host), "::1");
  expect((await send({ url: `http://[::1]:${port}/` })).body).toBe(`[::1]:${port}`);
});

test("no listener is unreachable, and says where without the path", async () => {
  const port = await deadPort();
  await expect(send({ url: `http://127.0.0.1:${port}/hooks/s3cret` })).rejects.toMatchObject({
    code: "unreachable",
    message: `no connection to 127.0.0.1:${port} (ECONNREFUSED)`,
  });
});

test("a name that does not resolve is unreachable", async () => {
  await expect(send({ url: "http://nowhere.invalid/" })).rejects.toMatchObject({ code: "unreachable" });
});

test.each([
  [
    "a reset before any answer",
    (socket: import("node:net").Socket) => socket.once("data", () => socket.resetAndDestroy()),
  ],
  [
    "a body cut short",
    (socket: import("node:net").Socket) =>
      socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort")),
  ],
])("%s is unclear: the request may have been seen", async (_, onSocket) => {
  const port = await serveRaw(onSocket);
  await expect(send({ url: `http://127.0.0.1:${port}/` })).rejects.toMatchObject({ code: "unclear" });
});

test("what is not HTTP is malformed", async () => {
  const port = await serveRaw((socket) => socket.end("SSH-2.0-OpenSSH_9.9\r\n"));
  await expect(send({ url: `http://127.0.0.1:${port}/` })).rejects.toMatchObject({ code: "malformed" });
});

test("a server that drips forever is given up at the timeout", async () => {
  const port = await serve((_, response) => {
    const timer = setInterval(() => response.write("."), 10);
    response.on("close", () => clearInterval(timer));
  });
  await expect(send({ url: `http://127.0.0.1:${port}/`, timeoutMs: 1_000 })).rejects.toMatchObject({
    code: "unclear",
    message: expect.stringContaining("no answer within 1s"),
  });
});

test("a handshake that never ends is unreachable: no request has left", async () => {
  const port = await serveRaw(() => {});
  await expect(send({ url: `https://127.0.0.1:${port}/`, timeoutMs: 200 })).rejects.toMatchObject({
    code: "unreachable",
  });
});

test("an endless body is malformed once it passes the bound, and its connection is closed", async () => {
  const closed = Promise.withResolvers<void>();
  const port = await serve((_, response) => {
    const more = () => {
      while (!response.destroyed && response.write("x".repeat(65_536))) {}
    };
    response.on("drain", more).on("close", () => closed.resolve());
    more();
  });
  await expect(send({ url: `http://127.0.0.1:${port}/` })).rejects.toMatchObject({ code: "malformed" });
  await closed.promise;
});

test("a signal ends the request", async () => {
  const controller = new AbortController();
  const port = await serve(() => controller.abort());
  await expect(send({ url: `http://127.0.0.1:${port}/`, signal: controller.signal })).rejects.toMatchObject({
    code: "unclear",
  });
  await expect(send({ url: `http://127.0.0.1:${port}/`, signal: controller.signal })).rejects.toMatchObject({
    code: "unreachable",
  });
});

test.each(["nonsense", "ftp://127.0.0.1/", "http://"])("%j cannot be asked", async (url) => {
  await expect(send({ url })).rejects.toMatchObject({ code: "unusable" });
});

test("a header value that breaks lines cannot be sent, and the error does not repeat it", async () => {
  const error = await send({
    url: "http://127.0.0.1:1/",
    headers: { a: new Secret("s3cret\r\nb: c") },
  }).catch((e) => e);
  expect(error).toMatchObject({ code: "unusable" });
  expect(JSON.stringify([error.message, error.cause?.message, error.stack])).not.toContain("s3cret");
});

test("by address, SNI and the certificate's name stay those of the URL", async () => {
  const port = await serveTls(
    internal,
    (request, response) => {
      response.end(
        `${(request.socket as TLSSocket & { servername: string }).servername} ${request.headers.host}`,
      );
    },
    "127.0.0.3",
  );
  const answer = await send({
    url: `https://billing.internal:${port}/`,
    address: "127.0.0.3",
    tls: { ca: ca.cert },
  });
  expect(answer.body).toBe(`billing.internal billing.internal:${port}`);
});

test("serverName stands in for the URL's name in SNI and certificate", async () => {
  const port = await serveTls(internal, (request, response) => {
    response.end((request.socket as TLSSocket & { servername: string }).servername);
  });
  const tls = { ca: ca.cert, serverName: "billing.internal" };
  expect((await send({ url: `https://127.0.0.1:${port}/`, tls })).body).toBe("billing.internal");
});

test("a certificate for another name, even one of the address, is refused", async () => {
  const port = await serveTls(internal, (_, response) => response.end());
  const error = { code: "unreachable", hint: expect.stringContaining("tls.serverName") };
  await expect(send({ url: `https://127.0.0.1:${port}/`, tls: { ca: ca.cert } })).rejects.toMatchObject(
    error,
  );
  await expect(
    send({ url: `https://payments.internal:${port}/`, address: "127.0.0.1", tls: { ca: ca.cert } }),
  ).rejects.toMatchObject(error);
});

test("a certificate of an authority that is not trusted is refused, with what to set", async () => {
  const port = await serveTls(internal, (_, response) => response.end());
  await expect(send({ url: `https://127.0.0.1:${port}/` })).rejects.toMatchObject({
    code: "unreachable",
    hint: expect.stringContaining("tls.ca"),
  });
});

test("an expired certificate is refused as expired", async () => {
  const port = await serveTls(await certificate("localhost", ca, -1), (_, response) => response.end());
  await expect(
    send({ url: `https://localhost:${port}/`, address: "127.0.0.1", tls: { ca: ca.cert } }),
  ).rejects.toMatchObject({
    code: "unreachable",
    hint: expect.stringContaining("renew the certificate"),
  });
});

test("a client certificate is shown when asked for, and its lack is explained", async () => {
  const port = await serveTls(
    { ...internal, ca: ca.cert, requestCert: true, rejectUnauthorized: true },
    (request, response) => {
      response.end((request.socket as TLSSocket).getPeerCertificate().subject.CN);
    },
  );
  const url = `https://127.0.0.1:${port}/`;
  const tls = { ca: ca.cert, serverName: "billing.internal" };
  expect((await send({ url, tls: { ...tls, ...client } })).body).toBe("keyturn");
  await expect(send({ url, tls })).rejects.toMatchObject({
    code: "unreachable",
    hint: expect.stringContaining("tls.cert"),
  });
});

test("files that are no PEM are named as the fault", async () => {
  await expect(
    send({ url: "https://127.0.0.1:1/", tls: { cert: "not a certificate", key: "nor a key" } }),
  ).rejects.toMatchObject({
    code: "unusable",
    hint: expect.stringContaining("PEM"),
  });
});

test("https to a port that speaks plain HTTP says so", async () => {
  const port = await serve((_, response) => response.end());
  await expect(send({ url: `https://127.0.0.1:${port}/` })).rejects.toMatchObject({
    code: "unreachable",
    hint: expect.stringContaining("try http://"),
  });
});

/** A proxy that remembers what it was asked for. */
async function proxy() {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url} ${request.headers.host}`);
    response.end("by proxy");
  });
  server.on("connect", (request, socket) => {
    seen.push(`CONNECT ${request.url}`);
    const [host, port] = (request.url as string).split(":");
    const onward = connect(Number(port), host as string, () => socket.write("HTTP/1.1 200 OK\r\n\r\n"));
    onward
      .on("error", () => socket.destroy())
      .pipe(socket)
      .on("error", () => onward.destroy())
      .pipe(onward);
  });
  return { url: `http://127.0.0.1:${await listen(server)}`, seen };
}

test("plain HTTP goes through the proxy that is named", async () => {
  const { url, seen } = await proxy();
  expect((await send({ url: "http://payments.internal:8080/healthz", proxy: url })).body).toBe("by proxy");
  expect(seen).toEqual(["GET http://payments.internal:8080/healthz payments.internal:8080"]);
});

test("HTTPS goes through the proxy's tunnel, by address too, and the certificate is still checked", async () => {
  const { url, seen } = await proxy();
  const port = await serveTls(internal, (request, response) => response.end(request.headers.host));
  const request = { url: `https://billing.internal:${port}/`, address: "127.0.0.1", proxy: url };
  expect((await send({ ...request, tls: { ca: ca.cert } })).body).toBe(`billing.internal:${port}`);
  expect(seen).toEqual([`CONNECT 127.0.0.1:${port}`]);
  await expect(send(request)).rejects.toMatchObject({
    code: "unreachable",
    hint: expect.stringContaining("tls.ca"),
  });
});

test("a proxy that is away or refuses is unreachable, and its credentials are not told", async () => {
  const dead = `http://user:s3cret@127.0.0.1:${await deadPort()}`;
  const error = await send({ url: "https://payments.internal/", proxy: dead }).catch((e) => e);
  expect(error.code).toBe("unreachable");
  const refusing = createServer();
  refusing.on("connect", (_, socket) => socket.end("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"));
  const refused = `http://user:s3cret@127.0.0.1:${await listen(refusing)}`;
  const other = await send({ url: "https://payments.internal/", proxy: refused }).catch((e) => e);
  expect(other.code).toBe("unreachable");
  for (const e of [error, other])
    expect(`${e.message} ${e.hint} ${e.cause?.message} ${e.stack}`).not.toContain("s3cret");
});

test("proxies in the environment are not heeded", async () => {
  process.env.HTTP_PROXY = `http://127.0.0.1:${await deadPort()}`;
  onTestFinished(() => void delete process.env.HTTP_PROXY);
  const port = await serve((_, response) => response.end("direct"));
  expect((await send({ url: `http://127.0.0.1:${port}/` })).body).toBe("direct");
});
