import type { ErrorCode } from "../lib/errors.ts";
import { RotationError } from "../lib/errors.ts";
import type { HttpResponse } from "../lib/http.ts";
import type { Secret } from "../lib/secret.ts";
import { quote } from "./redact.ts";

/** What every provider's refusals have in common; what a code means for a person is the provider's to say. */

export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The parsed body, or undefined when it is no JSON. */
export function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

/** What the API says went wrong; undefined when the body is not the API's own error (an edge's page, say). */
export function apiError(body: string): string | undefined {
  const json = parseJson(body);
  if (!isObject(json)) return undefined;
  const { error } = json;
  if (typeof error === "string") return error;
  if (isObject(error) && typeof error.message === "string") return error.message;
  return undefined;
}

/** No provider's limit is taken to last longer: a mistaken header must not silence us for days. */
const LONGEST_RETRY_AFTER = 3_600_000;

/** Milliseconds asked for by Retry-After, as seconds or as an HTTP date; undefined when it says neither. */
export function retryAfterMs(headers: HttpResponse["headers"], now: number): number | undefined {
  const text = headers["retry-after"]?.trim();
  if (!text) return undefined;
  if (/^\d+(\.\d+)?$/.test(text)) return Math.min(Number(text) * 1000, LONGEST_RETRY_AFTER);
  const at = Date.parse(text);
  // Their date is set against their own clock where they state it.
  const from = Date.parse(headers.date ?? "");
  if (Number.isNaN(at)) return undefined;
  return Math.min(Math.max(0, at - (Number.isNaN(from) ? now : from)), LONGEST_RETRY_AFTER);
}

/** How the provider explains what its codes ask a person to do. */
export type Hints = Partial<
  Record<"unauthorized" | "forbidden" | "rejected" | "unpaid" | "elsewhere", string>
>;

/**
 * The error that an answer other than 2xx stands for. 404 is `absent` only as the API's own error
 * and where `absentIs404` says that something was asked for by its id; any other 404, and every
 * redirect, means that the base URL leads elsewhere: `malformed`.
 */
export function refusal(
  what: string,
  response: HttpResponse,
  options: {
    hints: Hints;
    absentIs404: boolean;
    now: number;
    known: readonly Secret[];
    readError: (body: string) => string | undefined;
  },
): RotationError {
  const { status } = response;
  const said = options.readError(response.body);
  const code = codeOf(status, options.absentIs404 && said !== undefined);
  const detail = said === undefined ? "an answer that is not the API's" : `“${quote(said, options.known)}”`;
  const where =
    code === "malformed" && response.headers.location ? " and a redirect, which is not followed" : "";
  return new RotationError(code, `cannot ${what}: HTTP ${status}, ${detail}${where}`, {
    status,
    hint: hintFor(status === 402 ? "unpaid" : code, said !== undefined, options.hints),
    retryAfterMs:
      code === "throttled" || code === "unclear" ? retryAfterMs(response.headers, options.now) : undefined,
  });
}

function codeOf(status: number, notThere: boolean): ErrorCode {
  if (status === 401) return "unauthorized";
  if (status === 403) return "forbidden";
  if (status === 404) return notThere ? "absent" : "malformed";
  if (status === 408 || status >= 500) return "unclear";
  if (status === 429) return "throttled";
  return status >= 400 ? "rejected" : "malformed";
}

function hintFor(code: ErrorCode | "unpaid", fromApi: boolean, hints: Hints): string | undefined {
  if (code === "malformed") return hints.elsewhere;
  if (code === "unpaid") return hints.unpaid;
  if (code !== "unauthorized" && code !== "forbidden" && code !== "rejected") return undefined;
  return fromApi
    ? hints[code]
    : `something in front of the API refused: a proxy or a firewall. ${hints[code] ?? ""}`.trim();
}
