import type { Clock } from "../lib/clock.ts";
import { RotationError } from "../lib/errors.ts";
import type { HttpRequest, HttpResponse, HttpSend } from "../lib/http.ts";
import { retryAfterMs } from "./answer.ts";
import type { Pace } from "./pace.ts";

export type Log = (level: "debug" | "warn", message: string, data: Record<string, unknown>) => void;

export interface Exchange {
  /** Sends one request, once, when its turn comes; whatever the status, the answer is returned. */
  send(what: string, request: Omit<HttpRequest, "maxBytes">): Promise<HttpResponse>;
  /** Provider clock less ours, in milliseconds, by the latest answer that had a date. */
  skewMs(): number | undefined;
}

/** A list of a hundred keys is some 100 KiB. */
const MAX_BYTES = 4 * 1024 * 1024;

/** One provider's line to its API: paced, silent when asked to be, comparing clocks as it goes. */
export function exchange(parts: {
  name: string;
  send: HttpSend;
  clock: Clock;
  pace: Pace;
  log?: Log;
}): Exchange {
  const { name, clock, pace } = parts;
  let skew: number | undefined;

  async function sendNow(request: HttpRequest): Promise<HttpResponse> {
    const sentAt = clock.now();
    const response = await parts.send(request);
    const receivedAt = clock.now();
    // A date has whole seconds, cut off: half a second is its mean error.
    const date = Date.parse(response.headers.date ?? "");
    if (!Number.isNaN(date)) skew = Math.round(date + 500 - (sentAt + receivedAt) / 2);
    if (response.status === 429 || response.status === 503) {
      pace.hold(retryAfterMs(response.headers, receivedAt) ?? 0);
    }
    const { method, url } = request;
    const path = new URL(url).pathname;
    parts.log?.("debug", `${method} ${path} ${response.status}`, { provider: name, ms: receivedAt - sentAt });
    return response;
  }

  return {
    skewMs: () => skew,
    send: (what, request) =>
      pace
        .run(() => sendNow({ ...request, maxBytes: MAX_BYTES }))
        .catch((error: unknown) => {
          if (!(error instanceof RotationError)) throw error;
          const { code, hint, retryAfterMs, status, cause } = error;
          throw new RotationError(code, `cannot ${what}: ${error.message}`, {
            hint,
            retryAfterMs,
            status,
            cause,
          });
        }),
  };
}
