import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { isIP, type Socket } from "node:net";
import { checkServerIdentity, type PeerCertificate, type TLSSocket } from "node:tls";
import { urlToHttpOptions } from "node:url";
import { RotationError } from "./errors.ts";
import type { HttpRequest, HttpResponse } from "./http.ts";
import { Secret } from "./secret.ts";

export interface TlsText {
  /** PEM text of the authorities to trust, instead of the usual ones. */
  ca?: string;
  /** PEM text of our client certificate and its key. */
  cert?: string;
  key?: string;
  /** Name for SNI and for checking the certificate, instead of the URL's. */
  serverName?: string;
  /** Any certificate will do; only where a person has asked for it. */
  insecure?: boolean;
}

export interface DirectOptions {
  tls?: TlsText;
  /** IP address to connect to; Host header, SNI and the certificate's name stay those of the URL. */
  address?: string;
  /** URL of an HTTP proxy; without it nothing in the environment is heeded. */
  proxy?: string;
  /** Keeps connections, and makes them; without it each request has one of its own. */
  agent?: HttpAgent;
}

export type DirectRequest = HttpRequest & DirectOptions;

/** An {@link import("./http.ts").HttpSend} that can also be told how to connect. */
export type DirectSend = (request: DirectRequest) => Promise<HttpResponse>;

/**
 * Requests over node:http and node:https: any port, a connection of its own for each (unless there
 * is an agent), no proxy but the one named. Errors as HttpSend has them; a certificate that is not accepted, by either side,
 * is `unreachable` with a hint, and a request that cannot be made at all is `unusable`. Messages
 * name host and port only: a URL's path may be a secret.
 */
export function directSend(defaults: DirectOptions = {}): DirectSend {
  return async (request) => exchange({ ...defaults, ...request });
}

function exchange(request: DirectRequest): Promise<HttpResponse> {
  const url = URL.canParse(request.url) ? new URL(request.url) : undefined;
  if (!url || !["http:", "https:"].includes(url.protocol)) {
    throw new RotationError("unusable", "the URL is not an http:// or https:// URL", {
      hint: "check the URL",
    });
  }
  const { promise, resolve, reject } = Promise.withResolvers<HttpResponse>();
  /** Once set, the other side may have seen the request. */
  let connected = false;
  const fail = (cause: unknown) => reject(failure(cause, connected, url.host));
  const { agent, req } = open(request, url);

  req.on("socket", (socket) => whenConnected(socket, () => (connected = true)));
  req.on("error", fail);
  req.on("response", (response) => {
    read(response, request.maxBytes).then(resolve, (cause) => {
      fail(cause);
      req.destroy();
    });
  });
  const stop = (why: string) => {
    fail(new Broken(why));
    req.destroy();
  };
  const timer = setTimeout(() => stop(`no answer within ${request.timeoutMs / 1_000}s`), request.timeoutMs);
  const onAbort = () => stop("stopped");
  if (request.signal?.aborted) onAbort();
  request.signal?.addEventListener("abort", onAbort, { once: true });
  req.end(request.body);

  return promise.finally(() => {
    clearTimeout(timer);
    request.signal?.removeEventListener("abort", onAbort);
    if (agent !== request.agent) agent.destroy();
  });
}

function open(request: DirectRequest, url: URL) {
  const secure = url.protocol === "https:";
  const target = urlToHttpOptions(url);
  const hostname = target.hostname as string;
  const name = request.tls?.serverName ?? hostname;
  const agentOptions = {
    keepAlive: false,
    ...(request.proxy && { proxyEnv: { HTTP_PROXY: request.proxy, HTTPS_PROXY: request.proxy } }),
  };
  const agent = request.agent ?? (secure ? new HttpsAgent(agentOptions) : new HttpAgent(agentOptions));
  const headers: Record<string, string> = { host: url.host };
  if (request.body !== undefined) headers["content-length"] = String(Buffer.byteLength(request.body));
  for (const [header, value] of Object.entries(request.headers ?? {})) {
    headers[header.toLowerCase()] = value instanceof Secret ? value.reveal() : value;
  }
  const options = {
    agent,
    method: request.method,
    protocol: url.protocol,
    host: request.address ?? hostname,
    port: url.port || (secure ? 443 : 80),
    path: target.path,
    auth: target.auth,
    headers,
    ...(secure && {
      ca: request.tls?.ca,
      cert: request.tls?.cert,
      key: request.tls?.key,
      ...(request.tls?.insecure && { rejectUnauthorized: false }),
      servername: isIP(name) ? "" : name,
      checkServerIdentity: (_: string, certificate: PeerCertificate) =>
        checkServerIdentity(name, certificate),
    }),
  };
  try {
    return { agent, req: secure ? httpsRequest(options) : httpRequest(options) };
  } catch (cause) {
    if (agent !== request.agent) agent.destroy();
    throw failure(cause, false, url.host);
  }
}

/** TLS counts as connected after the handshake: before it no request has left. */
function whenConnected(socket: Socket, then: () => void): void {
  const { encrypted, secureConnecting } = socket as TLSSocket & { secureConnecting?: boolean };
  if (encrypted ? secureConnecting : socket.connecting)
    socket.once(encrypted ? "secureConnect" : "connect", then);
  else then();
}

async function read(response: IncomingMessage, maxBytes: number): Promise<HttpResponse> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxBytes) throw new TooLong(`an answer longer than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return {
    status: response.statusCode ?? 0,
    headers: Object.fromEntries(
      Object.entries(response.headersDistinct).map(([name, values]) => [name, (values ?? []).join(", ")]),
    ),
    body: Buffer.concat(chunks).toString("utf8"),
  };
}

/** We gave up. */
class Broken extends Error {}
class TooLong extends Error {}

function failure(cause: unknown, connected: boolean, host: string): RotationError {
  if (cause instanceof TooLong) return new RotationError("malformed", `${host} sent ${cause.message}`);
  const code = (cause as NodeJS.ErrnoException).code ?? "";
  const what = cause instanceof Broken ? cause.message : code || "connection broke";
  if (/^ERR_(INVALID|HTTP_INVALID|OSSL|UNESCAPED)/.test(code)) {
    return new RotationError("unusable", `the request to ${host} cannot be made (${code})`, {
      hint: code.startsWith("ERR_OSSL")
        ? "check that tls.ca, tls.cert and tls.key are PEM files and belong together"
        : "check the URL and the headers for characters that are not allowed there",
    });
  }
  if (code.startsWith("HPE_"))
    return new RotationError("malformed", `${host} did not answer in HTTP (${code})`);
  const hint = tlsHint(code, cause instanceof Error ? cause.message : "");
  if (hint || !connected) {
    return new RotationError("unreachable", `no connection to ${host} (${what})`, { hint, cause });
  }
  return new RotationError("unclear", `the connection to ${host} gave no whole answer (${what})`, { cause });
}

/** What to do about an error of the TLS layer; undefined for any other. */
function tlsHint(code: string, message: string): string | undefined {
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID")
    return "set tls.serverName to a name that the certificate holds";
  if (/EXPIRED|NOT_YET_VALID/.test(code)) return "renew the certificate, or set the clock right";
  if (/^ERR_SSL_.*ALERT/.test(code) || (code === "EPROTO" && / alert /.test(message))) {
    return "the server refuses our side of TLS: set tls.cert and tls.key to a client certificate that it accepts";
  }
  if (code === "EPROTO" || /^ERR_SSL_(WRONG_VERSION|PACKET_LENGTH)/.test(code)) {
    return "the server does not speak TLS there that we understand: try http://, or another port";
  }
  if (/CERT|ISSUER|LEAF_SIGNATURE|CRL/.test(code)) {
    return "set tls.ca to the PEM file of the authority that signed the server's certificate";
  }
  return undefined;
}
