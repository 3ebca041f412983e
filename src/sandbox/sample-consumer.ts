import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { healthBody, type KeyWatch } from "../consumer.ts";
import { type Clock, systemClock } from "../lib/clock.ts";
import { asRotationError } from "../lib/errors.ts";
import { directSend } from "../lib/http-direct.ts";
import { fingerprint, Secret } from "../lib/secret.ts";

/** Begins to read the key. `onChange` is told each key that comes after this has returned. */
export type WatchKey = (onChange: (key: string) => void) => KeyWatch;

export interface SampleConsumerOptions {
  name: string;
  /** The key's name in the policy, as its health answer has it. */
  keyName: string;
  /** How it reads the key from where the store keeps it. */
  watch: WatchKey;
  /** Base URL of the provider's model calls, up to and without `/chat/completions`. */
  providerUrl: string;
  /** The model that it calls. */
  model: string;
  /** How long after reading a new key it starts to use it, as a service with a configuration of its own would. */
  applyDelayMs: number;
  requestsPerSecond: number;
  /** Its own name for itself. */
  instance: string;
  /** On loopback; 0 takes a free one. */
  port?: number;
  clock?: Clock;
}

export interface SampleConsumerStats {
  sent: number;
  failed: number;
  /** Why, the first hundred. */
  failures: string[];
}

export interface SampleConsumer {
  /** `/healthz` by the contract and `POST /-/reload` are under it. */
  url: string;
  stats(): SampleConsumerStats;
  /** Stops the traffic, waits for the requests under way, closes the server. */
  close(): Promise<void>;
}

const MOST_FAILURES = 100;
const REQUEST_TIMEOUT_MS = 10_000;

/**
 * A service that uses a key: watches where the store keeps it, starts to use a new key after a
 * delay of its own, sends steady traffic with it and tells the truth about both. Before its first
 * key it sends nothing and is not ready: 503, status `waiting`.
 */
export async function startSampleConsumer(options: SampleConsumerOptions): Promise<SampleConsumer> {
  const { name, clock = systemClock } = options;
  const stopping = new AbortController();
  const send = directSend();
  const stats: SampleConsumerStats = { sent: 0, failed: 0, failures: [] };
  /** Requests under way by the key that they bear. */
  const underWay = new Map<string, Set<Promise<void>>>();
  const watched = options.watch((key) => void applyLater(key));
  let applied = watched.current();

  async function applyLater(key: string): Promise<void> {
    if (applied !== undefined) await clock.sleep(options.applyDelayMs, stopping.signal);
    if (watched.current() === key) applied = key;
  }

  async function request(key: string): Promise<void> {
    stats.sent += 1;
    const why = await send({
      method: "POST",
      url: `${options.providerUrl}/chat/completions`,
      headers: { authorization: new Secret(`Bearer ${key}`), "content-type": "application/json" },
      body: JSON.stringify({
        model: options.model,
        messages: [{ role: "user", content: `hello from ${name}` }],
      }),
      timeoutMs: REQUEST_TIMEOUT_MS,
      maxBytes: 1_000_000,
    }).then(
      ({ status }) =>
        status === 200 ? undefined : `HTTP ${status} with key ${fingerprint(key).slice(0, 19)}…`,
      (thrown) => asRotationError(thrown).message,
    );
    if (why === undefined) return;
    stats.failed += 1;
    if (stats.failures.length < MOST_FAILURES) stats.failures.push(why);
  }

  function dispatch(key: string): void {
    const siblings = underWay.get(key) ?? new Set();
    underWay.set(key, siblings);
    const one = request(key).finally(() => {
      siblings.delete(one);
      if (siblings.size === 0) underWay.delete(key);
    });
    siblings.add(one);
  }

  async function traffic(): Promise<void> {
    while (!stopping.signal.aborted) {
      if (applied !== undefined) dispatch(applied);
      await clock.sleep(1_000 / options.requestsPerSecond, stopping.signal);
    }
  }

  /** What it has read and will apply is held as well. */
  function holding(): string[] {
    const held = new Set(underWay.keys());
    const next = watched.current();
    if (next !== undefined) held.add(next);
    if (applied !== undefined) held.delete(applied);
    return [...held];
  }

  async function answer({ method, url }: IncomingMessage, response: ServerResponse): Promise<void> {
    const reply = (status: number, body: object) => {
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    };
    if (url === "/healthz" && method === "GET") {
      reply(
        applied === undefined ? 503 : 200,
        healthBody({
          status: applied === undefined ? "waiting" : "ok",
          instance: options.instance,
          keys: { [options.keyName]: { serving: applied, holding: holding() } },
        }),
      );
    } else if (url === "/-/reload" && method === "POST") {
      await watched.refresh();
      applied = watched.current();
      reply(200, { status: "reloaded" });
    } else {
      reply(404, { error: "GET /healthz or POST /-/reload" });
    }
  }

  const server = createServer((incoming, response) => void answer(incoming, response));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(options.port ?? 0, "127.0.0.1", resolve);
  }).catch((error) => {
    watched.close();
    throw error;
  });
  const sending = traffic();

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stats: () => ({ ...stats, failures: [...stats.failures] }),
    async close() {
      stopping.abort();
      watched.close();
      await sending;
      await Promise.all([...underWay.values()].flatMap((requests) => [...requests]));
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
