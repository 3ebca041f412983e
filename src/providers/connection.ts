import type { Clock } from "../lib/clock.ts";
import { RotationError } from "../lib/errors.ts";
import type { HttpResponse, HttpSend } from "../lib/http.ts";
import type { Random } from "../lib/random.ts";
import { Secret } from "../lib/secret.ts";
import type { ReadSecret, SecretSource } from "../lib/secret-source.ts";
import { apiError, type Hints, refusal } from "./answer.ts";
import { exchange, type Log } from "./exchange.ts";
import { pace, type RateLimit } from "./pace.ts";
import { type Repeat, repeater } from "./retry.ts";

/** What the policy says of a provider of keys. */
export interface ProviderConfig {
  /** Default: the provider's own. */
  baseUrl?: string;
  managementKey: SecretSource;
  /** Extra request headers; they cannot replace Authorization. */
  headers: Readonly<Record<string, string>>;
  rateLimit: RateLimit;
}

export interface ProviderParts {
  send: HttpSend;
  clock: Clock;
  random: Random;
  readSecret: ReadSecret;
  log?: Log;
  /** Told of each wait for the rate limit or after a 429, in milliseconds. */
  onThrottled?: (ms: number) => void;
}

/** How a provider differs from the next in what it says and in what its refusals ask of a person. */
export interface Manner {
  /** Its base URL when the policy names none. */
  baseUrl: string;
  /** For calls with the management key, given the latest one sent. */
  hints(managementKey: Secret | undefined): Hints;
  /** For calls with another key. */
  keyHints: Hints;
  /** What its own error says; undefined when the body is no error of its API. Default: apiError. */
  readError?(body: string): string | undefined;
}

export interface CallOptions {
  /** The key to call with, in place of the management key. */
  as?: Secret;
  body?: object;
  timeoutMs?: number;
  /** In place of the base URL. */
  base?: string;
}

/** Sends one request, once, and returns the answer whatever its status. `what` is for errors: "list keys". */
export type Call = (
  what: string,
  method: string,
  path: string,
  options?: CallOptions,
) => Promise<HttpResponse>;

/** A provider's API as its client and its meaning both need it. */
export interface Connection {
  /** Without a trailing slash. */
  readonly baseUrl: string;
  readonly call: Call;
  /** Repeats a call on weather. */
  readonly repeat: Repeat;
  /** What the API's own error says; undefined when the answer is not the API's. */
  readonly errorIn: (body: string) => string | undefined;
  /** The error that an answer other than 2xx stands for; `absentIs404` where something was asked for by its id. */
  refused(
    what: string,
    response: HttpResponse,
    options?: { absentIs404?: boolean; as?: Secret },
  ): RotationError;
  /** The error of a 2xx that says nothing known. */
  unreadable(what: string, response: HttpResponse): RotationError;
  skewMs(): number | undefined;
}

const TIMEOUT = 15_000;

/** One connection for each provider of the policy: its pace and its patience are shared by all calls. */
export function connect(
  name: string,
  config: ProviderConfig,
  parts: ProviderParts,
  manner: Manner,
): Connection {
  const baseUrl = (config.baseUrl ?? manner.baseUrl).replace(/\/+$/, "");
  const errorIn = manner.readError ?? apiError;
  const extra = Object.fromEntries(
    Object.entries(config.headers).map(([header, value]) => [header.toLowerCase(), value]),
  );
  /** The latest one sent: an answer that echoes it must not carry it into an error. */
  let managementKey: Secret | undefined;
  const line = exchange({ name, ...parts, pace: pace(config.rateLimit, parts.clock, parts.onThrottled) });

  async function credential(as: Secret | undefined): Promise<Secret> {
    if (as) return as;
    managementKey = await parts.readSecret(config.managementKey);
    return managementKey;
  }

  return {
    baseUrl,
    errorIn,
    repeat: repeater({ name, ...parts }),
    skewMs: line.skewMs,

    async call(what, method, path, options = {}) {
      const key = await credential(options.as);
      const headers: Record<string, string | Secret> = {
        ...extra,
        accept: "application/json",
        authorization: new Secret(`Bearer ${key.reveal()}`),
      };
      if (options.body) headers["content-type"] = "application/json";
      return line.send(`${what} at ${name}`, {
        method,
        url: `${options.base ?? baseUrl}${path}`,
        headers,
        body: options.body && JSON.stringify(options.body),
        timeoutMs: options.timeoutMs ?? TIMEOUT,
      });
    },

    refused: (what, response, { absentIs404 = false, as } = {}) =>
      refusal(`${what} at ${name}`, response, {
        hints: as ? manner.keyHints : manner.hints(managementKey),
        absentIs404,
        now: parts.clock.now(),
        known: [managementKey, as].filter((secret) => secret !== undefined),
        readError: errorIn,
      }),

    unreadable: (what, { status }) =>
      new RotationError("malformed", `cannot ${what} at ${name}: the answer is not one of the API's`, {
        status,
        hint: manner.hints(managementKey).elsewhere,
      }),
  };
}

export function isSuccess({ status }: HttpResponse): boolean {
  return status >= 200 && status < 300;
}
