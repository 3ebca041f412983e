import type { Clock } from "../../lib/clock.ts";
import { RotationError } from "../../lib/errors.ts";
import type { HttpResponse, HttpSend } from "../../lib/http.ts";
import type { Random } from "../../lib/random.ts";
import type { Secret } from "../../lib/secret.ts";
import type { ReadSecret, SecretSource } from "../../lib/secret-source.ts";
import { apiError, type Hints, refusal } from "../answer.ts";
import { exchange, type Log } from "../exchange.ts";
import { pace, type RateLimit } from "../pace.ts";
import type { IssuedKey, Provider } from "../provider.ts";
import { repeater } from "../retry.ts";
import { walk } from "../walk.ts";
import { openRouterClient } from "./client.ts";
import { readCreated, readCurrentKey, readDeleted, readIssuedKey, readPage } from "./read.ts";

export interface OpenRouterConfig {
  /** Default https://openrouter.ai/api/v1. */
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
}

const BASE_URL = "https://openrouter.ai/api/v1";

/** OpenRouter as a Provider. `name` is its name in the policy. */
export function openRouterProvider(name: string, config: OpenRouterConfig, parts: ProviderParts): Provider {
  const { clock } = parts;
  const baseUrl = config.baseUrl ?? BASE_URL;
  /** The latest credentials sent: an answer that echoes one must not carry it into an error. */
  let managementKey: Secret | undefined;
  const line = exchange({ name, ...parts, pace: pace(config.rateLimit, clock) });
  const repeat = repeater({ name, ...parts });
  const client = openRouterClient({
    name,
    baseUrl,
    headers: config.headers,
    exchange: line,
    managementKey: async () => {
      managementKey = await parts.readSecret(config.managementKey);
      return managementKey;
    },
  });
  const hints = hintsFor(config.managementKey, baseUrl);

  function refused(what: string, response: HttpResponse, absentIs404 = false, key?: Secret): RotationError {
    const known = [managementKey, key].filter((secret) => secret !== undefined);
    return refusal(`${what} at ${name}`, response, {
      hints: key ? keyHints : hints,
      absentIs404,
      now: clock.now(),
      known,
    });
  }

  function unreadable(what: string, { status }: HttpResponse): RotationError {
    return new RotationError("malformed", `cannot ${what} at ${name}: the answer is not one of the API's`, {
      status,
      hint: hints.elsewhere,
    });
  }

  const page = (workspaceId?: string) => (offset: number) =>
    repeat(async () => {
      const response = await client.list({ offset, workspaceId });
      if (!isSuccess(response)) throw refused("list keys", response);
      const entries = readPage(response.body);
      if (!entries) throw unreadable("list keys", response);
      return entries;
    });

  /** The key asked about, and no other. */
  function theKey(what: string, hash: string, response: HttpResponse): IssuedKey {
    const key = readIssuedKey(response.body);
    if (key?.hash !== hash) throw unreadable(what, response);
    return key;
  }

  return {
    name,
    skewMs: line.skewMs,

    async list(workspaces = []) {
      const found = new Map<string, IssuedKey>();
      for (const workspace of [undefined, ...new Set(workspaces)]) {
        for (const key of await walk(page(workspace))) found.set(key.hash, key);
      }
      return [...found.values()];
    },

    get: (hash) =>
      repeat(async () => {
        const what = `read key ${hash}`;
        const response = await client.get(hash);
        if (isSuccess(response)) return theKey(what, hash, response);
        const error = refused(what, response, true);
        if (error.code === "absent") return undefined;
        throw error;
      }),

    // Not repeated, not even where nothing can have happened: one call, one POST (R8).
    async create(keyName, settings) {
      const what = `create key ${keyName}`;
      const response = await client.create(keyName, settings);
      if (!isSuccess(response)) throw refused(what, response);
      const created = readCreated(response.body);
      if (!created) throw unreadable(what, response);
      return created;
    },

    update: (hash, patch) =>
      repeat(async () => {
        const what = `update key ${hash}`;
        const response = await client.update(hash, patch);
        if (!isSuccess(response)) throw refused(what, response, true);
        return theKey(what, hash, response);
      }),

    delete: (hash) =>
      repeat(async () => {
        const what = `delete key ${hash}`;
        const response = await client.delete(hash);
        if (isSuccess(response)) {
          if (response.status === 204 || readDeleted(response.body)) return "deleted";
          throw unreadable(what, response);
        }
        const error = refused(what, response, true);
        if (error.code === "absent") return "absent";
        throw error;
      }),

    current: (key) =>
      repeat(async () => {
        const what = "ask about the key in use";
        const response = await client.current(key);
        if (isSuccess(response)) {
          const current = readCurrentKey(response.body);
          if (!current) throw unreadable(what, response);
          return { accepted: true, key: current };
        }
        // A 401 from something in front of the API says nothing about the key.
        if (response.status === 401 && apiError(response.body) !== undefined) return { accepted: false };
        throw refused(what, response, false, key);
      }),
  };
}

function isSuccess({ status }: HttpResponse): boolean {
  return status >= 200 && status < 300;
}

const keyHints: Hints = {
  elsewhere: "check baseUrl: it ends with /api/v1 and names the API's final address",
};

function hintsFor(source: SecretSource, baseUrl: string): Hints {
  const where = "env" in source ? `environment variable ${source.env}` : `file ${source.file}`;
  const made =
    "a management key (formerly: provisioning key), made at https://openrouter.ai/settings/management-keys";
  return {
    unauthorized: `the management key was refused: check ${where}; it must hold ${made}`,
    forbidden: `check ${where}: an ordinary API key cannot manage keys; it must hold ${made}, by someone who may create keys`,
    elsewhere: `check baseUrl (${baseUrl}): it ends with /api/v1 and names the API's final address, as redirects are not followed`,
  };
}
