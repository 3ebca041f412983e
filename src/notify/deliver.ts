import { asRotationError, type ErrorCode, RotationError } from "../lib/errors.ts";
import type { HttpResponse, HttpSend } from "../lib/http.ts";
import type { DirectRequest, DirectSend } from "../lib/http-direct.ts";
import { redactQuoted } from "../lib/redact.ts";
import { Secret } from "../lib/secret.ts";
import type { ReadSecret } from "../lib/secret-source.ts";
import { prepareHttp } from "../probes/http-target.ts";
import type { Destination } from "./destination.ts";
import type { NotificationBody } from "./schema.ts";
import { signatureHeaders } from "./sign.ts";
import { slackBody } from "./slack.ts";

export interface DeliverParts {
  /** Goes through the proxy of the environment. */
  send: HttpSend;
  /** For a destination with certificates or a proxy of its own. */
  sendDirect: DirectSend;
  readSecret: ReadSecret;
  /** Text of a file, for certificates. */
  readFile: (path: string) => Promise<string>;
  now: () => number;
}

export type Channel = "webhook" | "slack";

/** How one attempt came out. */
export interface Attempt {
  channel: Channel;
  /** Names the destination to people; of a URL that is a secret, host and port alone. */
  place: string;
  /** Why it was not taken. */
  error?: RotationError;
}

const TIMEOUT_MS = 10_000;
/** No answer is of interest, but one that is longer than this would count as none. */
const MAX_ANSWER_BYTES = 1024 * 1024;
/** The longest that a receiver may ask us to wait, in milliseconds. */
const LONGEST_RETRY_AFTER_MS = 3_600_000;
const SLACK_HOSTS: readonly string[] = ["hooks.slack.com", "hooks.slack-gov.com"];

/** Posts a notification once. Never throws; redirects are not followed. */
export async function deliver(
  destination: Destination,
  body: NotificationBody,
  parts: DeliverParts,
  signal: AbortSignal,
): Promise<Attempt> {
  const attempt: Attempt = {
    channel: destination.format === "slack" ? "slack" : "webhook",
    place: nameless(destination),
  };
  try {
    const target = { method: "POST", timeoutMs: TIMEOUT_MS, signal };
    const [prepared] = await prepareHttp(destination.http, target, parts);
    if (prepared === undefined) throw new Error("a destination has one URL");
    attempt.place = prepared.place;
    if (isSlack(destination, prepared.request.url)) attempt.channel = "slack";
    const request = await filled(destination, prepared.request, attempt.channel, body, parts);
    const { tls, proxy } = destination.http;
    const answer = await (tls || proxy ? parts.sendDirect(request) : parts.send(request));
    const refusal = refusalOf(answer, attempt.place, secretsOf(request), parts.now());
    return refusal ? { ...attempt, error: refusal } : attempt;
  } catch (thrown) {
    return { ...attempt, error: asRotationError(thrown) };
  }
}

async function filled(
  { secret }: Destination,
  request: DirectRequest,
  channel: Channel,
  body: NotificationBody,
  { readSecret, now }: DeliverParts,
): Promise<DirectRequest> {
  const text = JSON.stringify(channel === "slack" ? slackBody(body) : body);
  const signature = secret
    ? signatureHeaders(await readSecret(secret), { id: body.id, body: text, now: now() })
    : {};
  return {
    ...request,
    maxBytes: MAX_ANSWER_BYTES,
    headers: {
      ...request.headers,
      "content-type": "application/json",
      "webhook-id": body.id,
      ...signature,
    },
    body: text,
  };
}

function isSlack({ format }: Destination, url: string): boolean {
  return format === undefined ? SLACK_HOSTS.includes(new URL(url).hostname) : format === "slack";
}

function nameless({ http }: Destination): string {
  const [url] = http.urls;
  if (url === undefined || typeof url === "string") return url ? new URL(url).host : "";
  return "env" in url ? `the URL in ${url.env}` : `the URL in ${url.file}`;
}

const CODES: Record<number, ErrorCode> = {
  401: "unauthorized",
  403: "forbidden",
  404: "absent",
  408: "unclear",
  410: "absent",
  425: "unclear",
  429: "throttled",
};

function refusalOf(
  { status, headers, body }: HttpResponse,
  place: string,
  secrets: readonly Secret[],
  now: number,
): RotationError | undefined {
  if (status >= 200 && status <= 299) return undefined;
  const code = CODES[status] ?? (status >= 500 ? "unclear" : "rejected");
  const says = quoted(body, secrets);
  const message = `${place} answered HTTP ${status}${says ? `: ${says}` : ""}`;
  const hint =
    status >= 300 && status <= 399
      ? "redirects are not followed: give the URL that it leads to"
      : status < 500 && code !== "throttled" && code !== "unclear"
        ? "check the URL, and what it asks for"
        : undefined;
  const retryAfterMs = retryAfter(headers["retry-after"], now);
  return new RotationError(code, message, { status, hint, retryAfterMs });
}

/** What an answer may echo: the URL may be a secret. */
function secretsOf({ url, headers = {} }: DirectRequest): Secret[] {
  return [new Secret(url), ...Object.values(headers).filter((value) => value instanceof Secret)];
}

/** The first words of an answer, such as Slack's `no_service`; never what was a secret of the request. */
function quoted(body: string, secrets: readonly Secret[]): string {
  if (/^\s*[<{[]/.test(body)) return "";
  const line = redactQuoted(body.slice(0, 1_000), secrets)
    .replace(/[\p{C}\s]+/gu, " ")
    .trim();
  return line.length > 100 ? `${line.slice(0, 99)}…` : line;
}

/** Seconds, or an HTTP date. */
function retryAfter(text: string | undefined, now: number): number | undefined {
  if (text === undefined) return undefined;
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - now;
  return ms > 0 ? Math.min(ms, LONGEST_RETRY_AFTER_MS) : undefined;
}
