import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { RotationError } from "../lib/errors.ts";
import type { Health, Standing } from "./health.ts";

export interface Listening {
  /** The port that was taken. */
  port: number;
  /** Also breaks the connections that are open. */
  close(): Promise<void>;
}

/** Somebody who sends slowly, or nothing, or too much, costs no more than this. */
const LIMITS = { headersTimeout: 5_000, requestTimeout: 5_000, maxHeaderSize: 8_192 };
const MOST_CONNECTIONS = 64;

/**
 * Answers `/healthz` (the worker is alive) and `/readyz` (it can do its work) with 200 or 503 and
 * `{ "status": "ok" | "failing", "problems": […] }`. Request bodies are not read. Port 0 takes a
 * free one. Throws RotationError `busy`, `forbidden` or `unusable` when it cannot listen there.
 */
export async function serveHealth(
  health: Pick<Health, "alive" | "ready">,
  at: { address: string; port: number },
): Promise<Listening> {
  const questions = new Map<string, () => Standing>([
    ["/healthz", () => health.alive()],
    ["/readyz", () => health.ready()],
  ]);
  const server = createServer({ ...LIMITS, keepAlive: false }, (request, response) => {
    answer(questions, request, response);
  });
  server.maxConnections = MOST_CONNECTIONS;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => reject(cannotListen(cause, at)));
    server.listen(at.port, at.address, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function answer(
  questions: ReadonlyMap<string, () => Standing>,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const question = questions.get(request.url?.split("?", 1)[0] ?? "");
  if (question === undefined) send(response, 404, { error: "not found" });
  else if (request.method !== "GET" && request.method !== "HEAD")
    send(response, 405, { error: "method not allowed" }, { allow: "GET, HEAD" });
  else {
    const { ok, problems } = question();
    send(response, ok ? 200 : 503, ok ? { status: "ok" } : { status: "failing", problems });
  }
}

function send(
  response: ServerResponse,
  status: number,
  body: object,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, {
    "content-type": "application/json",
    "cache-control": "no-store",
    // What is left of a request that has a body is not waited for.
    connection: "close",
    ...headers,
  });
  response.end(`${JSON.stringify(body)}\n`);
}

function cannotListen(
  cause: NodeJS.ErrnoException,
  { address, port }: { address: string; port: number },
): RotationError {
  const code = cause.code === "EADDRINUSE" ? "busy" : cause.code === "EACCES" ? "forbidden" : "unusable";
  return new RotationError(code, `cannot listen on ${address}:${port} (${cause.code ?? cause.message})`, {
    hint: "choose another server.address or server.port in the policy",
    cause,
  });
}
