import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer, type ServerOptions } from "node:https";
import { type AddressInfo, createServer as createTcpServer, type Socket } from "node:net";
import { generate } from "selfsigned";
import { onTestFinished } from "vitest";
import { systemClock } from "../../src/lib/clock.ts";
import { directSend } from "../../src/lib/http-direct.ts";
import { fingerprint } from "../../src/lib/secret.ts";
import { secretReader } from "../../src/lib/secret-source.ts";
import { type ConsumerPolicy, keySchema } from "../../src/policy/schema.ts";
import type { ProbeParts } from "../../src/probes/parts.ts";
import type { Expected } from "../../src/probes/probe.ts";

/** Listens on loopback until the test ends; gives the port. */
export async function listen(
  server: Server | ReturnType<typeof createTcpServer>,
  host = "127.0.0.1",
  port = 0,
): Promise<number> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket.on("error", () => {}));
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(port, host, resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  });
  return (server.address() as AddressInfo).port;
}

export const serve = (listener: RequestListener, host?: string, port?: number) =>
  listen(createServer(listener), host, port);
export const serveTls = (options: ServerOptions, listener: RequestListener, host?: string) =>
  listen(createTlsServer(options, listener), host);
/** A server that does to each connection what it likes. */
export const serveRaw = (onSocket: (socket: Socket) => void, host?: string) =>
  listen(createTcpServer(onSocket), host);

/** A port on which nothing listens. */
export async function deadPort(): Promise<number> {
  const server = createTcpServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export interface Pair {
  cert: string;
  key: string;
}

/** An authority of our own. */
export async function authority(): Promise<Pair> {
  const made = await generate([{ name: "commonName", value: "test authority" }], {
    keyType: "ec",
    algorithm: "sha256",
    extensions: [
      { name: "basicConstraints", cA: true, critical: true },
      { name: "keyUsage", keyCertSign: true, cRLSign: true, digitalSignature: true },
    ],
  });
  return { cert: made.cert, key: made.private };
}

/** A certificate for `name`, signed by `ca`; good for servers and clients. */
export async function certificate(name: string, ca: Pair, days = 1): Promise<Pair> {
  const made = await generate([{ name: "commonName", value: name }], {
    keyType: "ec",
    algorithm: "sha256",
    ca,
    notBeforeDate: new Date(Date.now() - 3 * 86_400_000),
    notAfterDate: new Date(Date.now() + days * 86_400_000),
  });
  return { cert: made.cert, key: made.private };
}

/** A consumer of the policy, as the schema reads it. */
export function consumer(probe: object, reload?: object): ConsumerPolicy {
  const [first] = keySchema.shape.consumers.parse([{ name: "payments", probe, ...(reload && { reload }) }]);
  return first as ConsumerPolicy;
}

/** Parts over the real network; names resolve as `names` says. */
export function realParts(
  names: Record<string, string[]> = {},
  env: Record<string, string> = {},
): ProbeParts {
  return {
    send: directSend(),
    readSecret: secretReader(env),
    readFile: (path) => readFile(path, "utf8"),
    lookup: async (name) => {
      const found = names[name];
      if (!found) throw Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), { code: "ENOTFOUND" });
      return found.map((address) => ({ address }));
    },
    run: spawn,
    kube: () => {
      throw new Error("no cluster in this world");
    },
    clock: systemClock,
    env: process.env,
  };
}

export const NEW_KEY = fingerprint("sk-or-v1-new");
export const OLD_KEY = fingerprint("sk-or-v1-old");

export const expected: Expected = {
  keyNames: ["payments-api", "payments"],
  fingerprint: NEW_KEY,
  hash: "f00d",
  label: "sk-or-v1-f00...00d",
  version: "v2",
  outgoing: [OLD_KEY],
};

/** An answer by the contract. */
export function contract(
  serving: unknown,
  rest: { instance?: string; holding?: unknown; name?: string } = {},
): string {
  const { instance, holding, name = "payments-api" } = rest;
  return JSON.stringify({ status: "ok", instance, keys: { [name]: { serving, holding } } });
}

/** A server that gives the same answer to everything. */
export const saying = (body: string, status = 200, host?: string, port?: number) =>
  serve((_, response) => void response.writeHead(status).end(body), host, port);
