import type { ServerResponse } from "node:http";

/** What may never happen with an answer of ours: nothing of it is run, framed, kept, or sent elsewhere. */
const CLOSED = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** Headers of every answer; `contentSecurity` opens no more than an answer needs. */
export function safeHeaders(contentSecurity = CLOSED): Record<string, string> {
  return {
    "content-security-policy": contentSecurity,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
    // What is left of a request that has a body is not waited for.
    connection: "close",
  };
}

export interface Answer {
  status: number;
  contentType: string;
  body: string;
  headers?: Record<string, string>;
  /** Content-Security-Policy; nothing is allowed when left out. */
  contentSecurity?: string;
}

/** Sends the whole of an answer; of one to HEAD, Node leaves the body out. */
export function send(response: ServerResponse, answer: Answer): void {
  response.writeHead(answer.status, {
    "content-type": answer.contentType,
    ...safeHeaders(answer.contentSecurity),
    ...answer.headers,
  });
  response.end(answer.body);
}

export function json(status: number, body: object, headers: Record<string, string> = {}): Answer {
  return { status, contentType: "application/json", body: `${JSON.stringify(body)}\n`, headers };
}

/** One sentence for a person. */
export function sentence(status: number, text: string, headers: Record<string, string> = {}): Answer {
  return { status, contentType: "text/plain; charset=utf-8", body: `${text}\n`, headers };
}
