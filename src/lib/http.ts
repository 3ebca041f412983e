import type { Secret } from "./secret.ts";

/** One HTTP exchange, as every client of ours asks for it. */
export interface HttpRequest {
  method: string;
  url: string;
  /** Values that are secrets are revealed only where the request is put on the wire. */
  headers?: Record<string, string | Secret>;
  body?: string;
  /** From the first byte sent to the last one read, in milliseconds. */
  timeoutMs: number;
  /** The longest body that is read; a longer one fails as `malformed`. */
  maxBytes: number;
  signal?: AbortSignal;
}

export interface HttpResponse {
  status: number;
  /** Names in lower case; repeated ones joined by ", ". */
  headers: Record<string, string>;
  body: string;
}

/**
 * Sends one request and reads the whole answer, whatever its status. Redirects are not followed:
 * a 3xx is an answer like any other. Throws RotationError `unreachable` when no connection was
 * made, `unclear` when it broke or timed out after that, `malformed` when the body is too long.
 */
export type HttpSend = (request: HttpRequest) => Promise<HttpResponse>;
