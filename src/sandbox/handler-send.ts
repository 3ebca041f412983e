import type { Clock } from "../lib/clock.ts";
import { RotationError } from "../lib/errors.ts";
import type { HttpRequest, HttpResponse, HttpSend } from "../lib/http.ts";
import { Secret } from "../lib/secret.ts";
import type { Handler } from "./fault-answers.ts";

/** Spares every exchange the making of an AbortError that nobody reads. */
const OVER = new Error("the exchange is over");

/**
 * A handler as an HttpSend, with no wire between: for simulations in virtual time. What a wire
 * would make of a broken connection, an answer that comes too late or a body too long is thrown
 * as the same RotationErrors.
 */
export function handlerSend(handler: Handler, clock: Clock): HttpSend {
  return async (request) => {
    const what = `${request.method} ${new URL(request.url).origin}`;
    const given = new AbortController();
    const stop = () => given.abort();
    request.signal?.addEventListener("abort", stop, { once: true });

    const answered = new AbortController();
    const late = clock.sleep(request.timeoutMs, answered.signal).then(() => "late" as const);
    const answer = handler(toRequest(request, given.signal)).then((response) =>
      read(response, request.maxBytes, what),
    );
    // Its outcome is of no interest once the timeout has come first.
    answer.catch(() => {});
    try {
      const first = await Promise.race([answer, late]);
      if (first !== "late") return first;
      throw new RotationError("unclear", `${what} got no whole answer within ${request.timeoutMs / 1000} s`);
    } finally {
      answered.abort(OVER);
      given.abort(OVER);
      request.signal?.removeEventListener("abort", stop);
    }
  };
}

function toRequest(request: HttpRequest, signal: AbortSignal): Request {
  const headers = Object.entries(request.headers ?? {}).map(([name, value]): [string, string] => [
    name,
    value instanceof Secret ? value.reveal() : value,
  ]);
  return new Request(request.url, { method: request.method, headers, body: request.body, signal });
}

async function read(response: Response, maxBytes: number, what: string): Promise<HttpResponse> {
  const broken = (cause?: unknown) => new RotationError("unclear", `${what} broke off`, { cause });
  if (response.type === "error") throw broken();
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of response.body ?? []) {
      length += chunk.byteLength;
      if (length > maxBytes)
        throw new RotationError("malformed", `${what} answered with more than ${maxBytes} bytes`);
      chunks.push(chunk);
    }
  } catch (error) {
    throw error instanceof RotationError ? error : broken(error);
  }
  return {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    body: Buffer.concat(chunks).toString("utf8"),
  };
}
