import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Clock } from "../lib/clock.ts";
import { asRotationError, RotationError } from "../lib/errors.ts";
import type { Secret } from "../lib/secret.ts";
import { Gate } from "./access.ts";
import { type Answer, json, send, sentence } from "./answer.ts";
import { boundConnections } from "./connections.ts";
import { EventStreams, type Watched } from "./event-streams.ts";
import type { Health, Standing } from "./health.ts";

/** The status page, as HTML. */
export interface StatusPage extends Watched {
  /** Undefined for a path that it does not have. */
  show(path: string, query: URLSearchParams): Promise<Answer | undefined>;
}

export interface ServerParts {
  health: Pick<Health, "alive" | "ready">;
  /** Left out: there is no `/metrics`. */
  metrics?: { contentType: string; text(): Promise<string> };
  /** Left out: there is no page, and nothing that needs a right. */
  page?: StatusPage;
  /**
   * Reads the token with which the page may be seen from elsewhere; undefined when there is none.
   * Throws RotationError when it cannot be read.
   */
  token?: () => Promise<Secret | undefined>;
  clock: Clock;
  log: (level: "warn" | "error", fields: Record<string, unknown>, message: string) => void;
}

export interface Listening {
  /** The port that was taken. */
  port: number;
  /** Also breaks the connections that are open. */
  close(): Promise<void>;
}

/** Somebody who sends slowly, or nothing, or too much, or does not read, costs no more than this. */
const LIMITS = {
  headersTimeout: 5_000,
  requestTimeout: 5_000,
  connectionsCheckingInterval: 1_000,
  maxHeaderSize: 16_384,
  keepAlive: false,
};
/** Longer than the pause between two heartbeats of a stream. */
const SILENCE_MS = 30_000;

/**
 * Answers GET and HEAD. `/healthz` (the worker is alive) and `/readyz` (it can do its work) give 200
 * or 503 and `{ "status": "ok" | "failing", "problems": […], "warnings": […] }`, and `/metrics` the
 * metrics, all to anybody; `/`, `/keys/NAME` and `/events` give the page to those whom the
 * {@link Gate} lets in. Request bodies are not read. Port 0 takes a free one. Throws RotationError
 * `busy`, `forbidden` or `unusable` when it cannot listen there.
 */
export async function serveHttp(
  parts: ServerParts,
  at: { address: string; port: number },
): Promise<Listening> {
  const streams = parts.page && new EventStreams(parts.page, parts.clock);
  const streaming = new WeakSet<Socket>();
  const routes = routesOf(parts);
  const server = createServer(LIMITS, (request, response) => {
    request.on("error", () => {});
    response.on("error", () => {});
    answer(routes, request, parts.log)
      .then((result) => {
        if (result !== STREAM) send(response, result);
        else if (streams?.open(request, response)) streaming.add(request.socket);
        else send(response, sentence(503, "Too many watch already.", { "retry-after": "30" }));
      })
      .catch(() => response.destroy());
  });
  server.setTimeout(SILENCE_MS);
  // What is sent behind a request is refused before anything is made for it.
  server.maxRequestsPerSocket = 1;
  boundConnections(server, (socket) => streaming.has(socket));
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => reject(cannotListen(cause, at)));
    server.listen(at.port, at.address, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        streams?.close();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const noToken = async () => undefined;

/** In place of an answer: it becomes a stream. */
const STREAM = Symbol("stream");
type Result = Answer | typeof STREAM;
/** Undefined: there is nothing by this path. */
type Route = (request: IncomingMessage, path: string, query: URLSearchParams) => Promise<Result | undefined>;

/** What answers a path: the first route that does not give undefined. */
function routesOf({ health, metrics, page, token = noToken, clock, log }: ServerParts): Route[] {
  const standing =
    (path: string, question: () => Standing): Route =>
    async (_, asked) => {
      if (asked !== path) return undefined;
      const { ok, problems, warnings } = question();
      const body = {
        status: ok ? "ok" : "failing",
        ...(ok ? {} : { problems }),
        ...(warnings && { warnings }),
      };
      return json(ok ? 200 : 503, body);
    };
  const measured: Route = async (_, path) => {
    if (path !== "/metrics" || metrics === undefined) return undefined;
    try {
      return { status: 200, contentType: metrics.contentType, body: await metrics.text() };
    } catch (thrown) {
      log("error", fieldsOf(thrown), `the metrics could not be made: ${asRotationError(thrown).message}`);
      return sentence(500, "The metrics could not be made; the worker's log says why.");
    }
  };
  const gate = new Gate({ token, clock, log: (fields, message) => log("error", fields, message) });
  const guarded: Route = async (request, path, query) => {
    if (page === undefined || !/^\/($|events$|keys\/)/.test(path)) return undefined;
    const refusal = await gate.refusal(request);
    if (refusal) return refusal;
    return path === "/events" ? STREAM : await page.show(path, query);
  };
  return [
    standing("/healthz", () => health.alive()),
    standing("/readyz", () => health.ready()),
    measured,
    guarded,
  ];
}

async function answer(
  routes: readonly Route[],
  request: IncomingMessage,
  log: ServerParts["log"],
): Promise<Result> {
  const url = request.url ?? "";
  const mark = url.indexOf("?");
  const path = mark < 0 ? url : url.slice(0, mark);
  const isRead = request.method === "GET" || request.method === "HEAD";
  if (!isRead) return json(405, { error: "method not allowed" }, { allow: "GET, HEAD" });
  try {
    const query = new URLSearchParams(mark < 0 ? "" : url.slice(mark + 1));
    for (const route of routes) {
      const result = await route(request, path, query);
      if (result !== undefined) return result;
    }
    return json(404, { error: "not found" });
  } catch (thrown) {
    log("error", fieldsOf(thrown), `a request could not be answered: ${asRotationError(thrown).message}`);
    return sentence(500, "This could not be answered; the worker's log says why.");
  }
}

function fieldsOf(thrown: unknown): Record<string, unknown> {
  const { code, hint } = asRotationError(thrown);
  return { code, ...(hint === undefined ? {} : { hint }) };
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
