import { RotationError } from "./errors.ts";
import type { HttpRequest, HttpResponse, HttpSend } from "./http.ts";
import { Secret } from "./secret.ts";

type Fetch = (url: URL, init: RequestInit) => Promise<Response>;

/**
 * HttpSend over fetch, so that whatever proxy the global fetch is set up with holds here too.
 * Besides the errors of HttpSend it throws `unusable` for a URL or a header that HTTP does not
 * allow. Messages name the origin only: a path or a query may be a secret (a webhook's is).
 */
export function fetchSend(fetch: Fetch = (url, init) => globalThis.fetch(url, init)): HttpSend {
  return async (request) => {
    const url = parseUrl(request.url);
    const headers = toHeaders(request.headers ?? {});
    const what = `${request.method} ${url.origin}`;
    if (request.signal?.aborted)
      throw new RotationError("unreachable", `${what} was not sent: stopped before`);

    const timeout = AbortSignal.timeout(request.timeoutMs);
    const signal = request.signal ? AbortSignal.any([timeout, request.signal]) : timeout;
    try {
      const { method, body } = request;
      const response = await fetch(url, { method, headers, body, redirect: "manual", signal });
      return {
        status: response.status,
        headers: Object.fromEntries(response.headers),
        body: await readBody(response, request.maxBytes, what),
      };
    } catch (error) {
      if (error instanceof RotationError) throw error;
      if (timeout.aborted) {
        throw new RotationError(
          "unclear",
          `${what} got no whole answer within ${request.timeoutMs / 1000} s`,
        );
      }
      if (request.signal?.aborted)
        throw new RotationError("unclear", `${what} was stopped before its answer came`);
      throw connectionError(error, what);
    }
  };
}

/** Fetch refuses a URL with credentials in it by quoting it whole; so it is refused here first. */
function parseUrl(text: string): URL {
  const url = URL.parse(text);
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new RotationError("unusable", "not an http:// or https:// URL", { hint: "check the URL" });
  }
  if (url.username || url.password) {
    throw new RotationError("unusable", `the URL of ${url.host} holds a user name or password`, {
      hint: "give credentials as a header or under auth",
    });
  }
  return url;
}

/** Later names win over earlier ones in another case. The error of a bad value quotes it, so it is not kept as a cause. */
function toHeaders(given: NonNullable<HttpRequest["headers"]>): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(given)) {
    try {
      headers.set(name, value instanceof Secret ? value.reveal() : value);
    } catch {
      throw new RotationError(
        "unusable",
        `the header ${JSON.stringify(name)} has a name or value that HTTP does not allow`,
        {
          hint: "look for line breaks and characters outside ASCII",
        },
      );
    }
  }
  return headers;
}

async function readBody(response: Response, maxBytes: number, what: string): Promise<HttpResponse["body"]> {
  if (!response.body) return "";
  const reader = response.body.getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return Buffer.concat(chunks).toString("utf8");
    length += value.byteLength;
    if (length > maxBytes) {
      // The socket is given up rather than drained: an endless answer has no end to wait for.
      reader.cancel().catch(() => {});
      throw new RotationError("malformed", `${what} answered with more than ${maxBytes} bytes`, {
        hint: "is this the right URL?",
      });
    }
    chunks.push(value);
  }
}

const NO_CONNECTION = new Set([
  "ECONNREFUSED",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EAI_AGAIN",
  "UND_ERR_CONNECT_TIMEOUT",
]);
const CERTIFICATE = /^(CERT_|SELF_SIGNED|DEPTH_ZERO_SELF|UNABLE_TO_|ERR_TLS_CERT_|HOSTNAME_MISMATCH)/;
const NOT_TLS = /^ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG)$/;
const PROXY_REFUSED = /^Proxy response \((\d+)\)/;

/** `unreachable` only where the request itself cannot have been sent; anything else is `unclear`. */
function connectionError(thrown: unknown, what: string): RotationError {
  const causes = causesOf(thrown);
  const code = causes.map((cause) => cause.code).find((code) => code !== undefined) ?? "";
  const message = causes.at(-1)?.message || code || "unknown error";
  const unreachable = (why: string, hint: string) =>
    new RotationError("unreachable", `${what} made no connection: ${why}`, { hint, cause: thrown });

  const proxy = causes
    .map((cause) => PROXY_REFUSED.exec(cause.message)?.[1])
    .find((status) => status !== undefined);
  if (proxy)
    return unreachable(`the proxy answered ${proxy}`, "check HTTPS_PROXY, its credentials and NO_PROXY");
  if (CERTIFICATE.test(code)) {
    return unreachable(
      `its certificate is not trusted (${code})`,
      "behind a TLS-inspecting proxy or with a private authority, name its PEM file in NODE_EXTRA_CA_CERTS",
    );
  }
  if (NOT_TLS.test(code))
    return unreachable(`it does not speak TLS (${code})`, "is it http:// rather than https://?");
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") {
    return unreachable(
      `its name cannot be resolved (${code})`,
      "check the host name, DNS, and HTTPS_PROXY where a proxy is needed",
    );
  }
  if (NO_CONNECTION.has(code) || causes.some((cause) => cause.syscall === "connect")) {
    return unreachable(code || message, "check that the address and port are right and reachable from here");
  }
  if (message === "bad port") return unreachable("fetch refuses this port", "use another port");
  return new RotationError("unclear", `${what} broke off: ${code || message}`, { cause: thrown });
}

/** The error and what lies beneath it, outermost first; of several attempts to connect the first. */
function causesOf(thrown: unknown): NodeJS.ErrnoException[] {
  const causes: NodeJS.ErrnoException[] = [];
  let next: unknown = thrown;
  while (next instanceof Error && causes.length < 8) {
    causes.push(next);
    next = next instanceof AggregateError ? next.errors[0] : next.cause;
  }
  return causes;
}
