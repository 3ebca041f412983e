import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { RotationError } from "../lib/errors.ts";
import type { Handler } from "./fault-answers.ts";

export interface Served {
  /** Origin, without a path: http://127.0.0.1:PORT. */
  url: string;
  port: number;
  /** Also breaks the connections that are open. */
  close(): Promise<void>;
}

/** No request to what is served here is longer. */
const MOST_BYTES = 1024 * 1024;

/**
 * Serves a handler on loopback. `Response.error()`, and a body that fails midway, break the
 * connection, as on a real wire; so does a request that is none, or longer than a mebibyte. Port 0 takes a free one. Throws RotationError `busy` or
 * `forbidden` when the port cannot be had.
 */
export async function serve(handler: Handler, options: { port?: number } = {}): Promise<Served> {
  const server = createServer((incoming, outgoing) => {
    exchange(handler, incoming, outgoing).catch(() => outgoing.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => reject(cannotListen(cause, options.port ?? 0)));
    server.listen(options.port ?? 0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function exchange(
  handler: Handler,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const gone = new AbortController();
  outgoing.once("close", () => gone.abort());
  const body = await readBody(incoming);
  const request = new Request(`http://${incoming.headers.host ?? "127.0.0.1"}${incoming.url ?? "/"}`, {
    method: incoming.method ?? "GET",
    headers: Object.entries(incoming.headersDistinct).flatMap(([name, values]) =>
      (values ?? []).map((value): [string, string] => [name, value]),
    ),
    body: body.length > 0 ? body : undefined,
    signal: gone.signal,
  });
  const response = await handler(request);
  if (response.type === "error") return void outgoing.destroy();
  outgoing.writeHead(response.status, Object.fromEntries(response.headers));
  if (response.body) await pipeline(Readable.fromWeb(response.body), outgoing);
  else outgoing.end();
}

async function readBody(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MOST_BYTES) throw new RotationError("rejected", "the request is too long");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function cannotListen(cause: NodeJS.ErrnoException, port: number): RotationError {
  const code = cause.code === "EADDRINUSE" ? "busy" : cause.code === "EACCES" ? "forbidden" : "unusable";
  return new RotationError(code, `cannot listen on 127.0.0.1:${port} (${cause.code ?? cause.message})`, {
    hint: "choose another port, or 0 for a free one",
    cause,
  });
}
