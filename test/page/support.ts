import { type IncomingHttpHeaders, request } from "node:http";
import type { EventRecord } from "../../src/journal/document.ts";
import type { HistoryFilter } from "../../src/journal/journal.ts";
import { createPage, type LivePage } from "../../src/page/page.ts";
import type { ConsumerProgress, KeyStatus, RotationStatus } from "../../src/rotation/report.ts";
import type { Standing } from "../../src/telemetry/health.ts";

export const NOW = Date.parse("2026-11-21T12:00:00Z");
export const DAY = 86_400_000;

export function statusOf(key: string, more: Partial<KeyStatus> = {}): KeyStatus {
  return {
    key,
    target: `local/${key}`,
    provider: "openrouter",
    state: "ok",
    current: {
      hash: "1c9e4e1d33aa51d0b1d4f4b0f2f29d3ee5ac2a4a4b7c1f30".padEnd(64, "0"),
      label: "sk-or-v1-0e6...1c9",
      fingerprint: `sha256:${"ab".repeat(32)}`,
      since: NOW - 12 * DAY,
    },
    next: { at: NOW + 18 * DAY, why: "schedule" },
    drift: [],
    retiring: [],
    ...more,
  };
}

export function rotating(key: string, more: Partial<RotationStatus> = {}): KeyStatus {
  const rotation: RotationStatus = {
    id: "b54b08b2e6647f2b",
    kind: "rotate",
    phase: "promoted",
    direction: "forward",
    startedAt: NOW - 90_000,
    phaseAt: NOW - 60_000,
    actor: "schedule",
    reason: "due",
    oldHash: "aa".repeat(32),
    newHash: "bb".repeat(32),
    waitingFor: "consumers to confirm: payments, billing",
    waitingUntil: NOW + 3_600_000,
    ...more,
  };
  return statusOf(key, { state: rotation.held ? "held" : "rotating", rotation });
}

export function consumerOf(consumer: string, more: Partial<ConsumerProgress> = {}): ConsumerProgress {
  const instances = [
    { instance: `${consumer}-1`, verdict: "other", detail: "still serves sha256:aaaa…" },
  ] as const;
  return {
    consumer,
    streak: 0,
    needed: 3,
    confirmed: false,
    waived: false,
    instances: [...instances],
    ...more,
  };
}

export function eventOf(seq: number, more: Partial<EventRecord> = {}): EventRecord {
  return {
    seq,
    at: NOW - 1_000_000 + seq * 1_000,
    target: "local/payments-api",
    key: "payments-api",
    epoch: 1,
    actor: "schedule",
    kind: "promoted",
    reason: "promote",
    message: `event number ${seq}`,
    ...more,
  };
}

/** A page over statuses and events that a test may change, and a clock that it moves. */
export class PageWorld {
  now = NOW;
  readings = 0;
  keys: KeyStatus[];
  events: EventRecord[] = [];
  worker: Standing = { ok: true, problems: [] };
  fails: Error | undefined;
  readonly page: LivePage;
  #sleeping = new Set<{ until: number; wake: () => void }>();

  constructor(keys: KeyStatus[]) {
    this.keys = keys;
    this.page = createPage({
      installation: "prod-eu",
      health: { ready: () => this.worker },
      clock: this.clock,
      engine: {
        status: async () => {
          this.readings += 1;
          if (this.fails) throw this.fails;
          return structuredClone(this.keys);
        },
        history: async ({ key, rotation, limit = 1_000 }: HistoryFilter) =>
          this.events
            .filter(
              (event) => (key ?? event.key) === event.key && (rotation ?? event.rotation) === event.rotation,
            )
            .slice(-limit),
      },
    });
  }

  readonly clock = {
    now: () => this.now,
    sleep: (ms: number, signal?: AbortSignal) =>
      new Promise<void>((resolve) => {
        if (signal?.aborted) return resolve();
        const entry = { until: this.now + ms, wake: resolve };
        this.#sleeping.add(entry);
        signal?.addEventListener("abort", () => {
          this.#sleeping.delete(entry);
          resolve();
        });
      }),
  };

  /** Time passes, and what has waited for it runs. */
  async pass(ms: number): Promise<void> {
    this.now += ms;
    for (const entry of [...this.#sleeping]) {
      if (entry.until > this.now) continue;
      this.#sleeping.delete(entry);
      entry.wake();
    }
    await settled();
  }

  /** The HTML behind an address. */
  async show(address = "/"): Promise<string> {
    const [path = "", query = ""] = address.split("?");
    const answer = await this.page.show(path, new URLSearchParams(query));
    return answer?.body ?? "";
  }
}

/** Whatever waits for nothing but promises has run. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
}

/** The text of HTML as people read it, without the head. */
export function textOf(html: string): string {
  return html
    .replace(/<head>[\s\S]*<\/head>|<script>[\s\S]*<\/script>/g, "")
    .replace(/<[^>]*>/g, " ")
    .replace(/&#39;/g, "'")
    .replace(/\s+/g, " ");
}

export interface Heard {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

/** One GET, or what `method` says, to a port of this machine; `from` is the address that it comes from. */
export function ask(
  port: number,
  path: string,
  {
    from,
    method = "GET",
    headers = {},
  }: { from?: string; method?: string; headers?: Record<string, string | string[]> } = {},
): Promise<Heard> {
  return new Promise((resolve, reject) => {
    const options = { host: "127.0.0.1", port, path, method, headers, localAddress: from, agent: false };
    const sent = request(options, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (chunk: string) => {
        body += chunk;
      });
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
      );
    });
    sent.on("error", reject).end();
  });
}
