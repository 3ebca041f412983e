import { setImmediate } from "node:timers/promises";
import { Registry } from "prom-client";
import type { Clock } from "../../lib/clock.ts";
import type { RotationError } from "../../lib/errors.ts";
import type { Policy, ProviderPolicy } from "../../policy/schema.ts";
import type { Provider } from "../../providers/provider.ts";
import type { KeyResult, KeyStatus, Progress } from "../../rotation/report.ts";
import type { CallMeter } from "./call-meter.ts";
import { callMetrics } from "./call-metrics.ts";
import type { Channel, Delivery } from "./closed-sets.ts";
import { keyMetrics } from "./key-metrics.ts";
import { nodeMetrics, processMetrics } from "./process-metrics.ts";
import { rotationMetrics } from "./rotation-metrics.ts";
import { watch } from "./seen.ts";
import { usageMetrics } from "./usage-metrics.ts";
import { within } from "./within.ts";

export interface MetricsParts {
  /** Of keyturn. */
  version: string;
  clock: Clock;
  /** Whether the process and its Node are measured too: not where a file of them would outlive it. */
  process: boolean;
  /** Put on every series: in a file, whose series must not be those of a file beside it. */
  labels?: Readonly<Record<string, string>>;
  /** Left out where no policy could be loaded, or no journal opened: there are no keys to show then. */
  keys?: {
    /** In force. */
    policy(): Policy;
    status(): Promise<KeyStatus[]>;
    provider(name: string, config: ProviderPolicy): Provider;
  };
}

/** What this process shows to Prometheus. All but `text` and `usageRead` cost nothing and throw nothing. */
export interface Metrics extends CallMeter {
  readonly contentType: string;
  /**
   * The exposition text. Looks at the journal, and at nothing else that it would have to wait for;
   * whoever asks while an answer is made, or within a second of it, gets the same one. Answers also
   * when the journal cannot be read: without the keys then, and with `keyturn_journal_up 0`.
   */
  text(): Promise<string>;
  /** Reads usage and limits unless they are fresh, which a scrape does not wait for; waits `ms` at most. */
  usageRead(ms: number): Promise<void>;
  onProgress(progress: Progress): void;
  /** A pass has ended with these results, or was broken off; it took `tookMs`. */
  passed(results: readonly KeyResult[] | RotationError, tookMs?: number): void;
  policyLoaded(ok: boolean): void;
  /** The journal could not be opened. */
  journalDown(): void;
  notified(channel: Channel, outcome: Delivery): void;
}

/** A scrape is given up after ten seconds, as Prometheus has it; it must not hang with the journal. */
const JOURNAL_MS = 5_000;
/** How long a text serves, in milliseconds. */
const FRESH_MS = 1_000;
/** How many keys are put into text between two turns of the event loop: a few milliseconds of work. */
const KEYS_A_TURN = 100;

/** Metrics in a registry of their own. prom-client is loaded with this module: import it only where metrics are wanted. */
export function createMetrics(
  { version, clock, process, labels = {}, keys }: MetricsParts,
  registry = new Registry(),
): Metrics {
  registry.setDefaultLabels(labels);
  const seen = watch();
  const fares = processMetrics(registry, clock, version);
  const ofKeys = keyMetrics(registry, seen);
  const rotations = rotationMetrics(registry);
  const calls = callMetrics(registry);
  const usage = usageMetrics(registry, { clock, provider: (...asked) => provider(...asked) });
  if (process) nodeMetrics(registry);

  function provider(name: string, config: ProviderPolicy): Provider {
    if (keys === undefined) throw new Error("there is no provider without a policy");
    return keys.provider(name, config);
  }

  /** One that hangs is asked once, however many scrapes give it up. */
  let reading: Promise<KeyStatus[] | undefined> | undefined;
  function statuses(status: () => Promise<KeyStatus[]>): Promise<KeyStatus[] | undefined> {
    reading ??= status()
      .catch(() => undefined)
      .finally(() => {
        reading = undefined;
      });
    return within(JOURNAL_MS, clock, reading);
  }

  async function collect(): Promise<string> {
    if (keys === undefined) return await exposition();
    const read = await statuses(keys.status);
    const policy = keys.policy();
    fares.journalRead(read !== undefined);
    await rotations.know(policy);
    await calls.know(policy);
    const keyTexts = await textsOfKeys(read ?? [], policy);
    usage.show(read ?? [], policy);
    const text = await exposition(keyTexts);
    void usage.refresh(policy);
    return text;
  }

  /** One metric a turn of the event loop: with a thousand keys the whole text takes long enough to hold others up. */
  async function exposition(known: ReadonlyMap<string, string> = new Map()): Promise<string> {
    const texts: string[] = [];
    for (const { name } of registry.getMetricsAsArray()) {
      await setImmediate();
      texts.push(`${known.get(name) ?? (await registry.getSingleMetricAsString(name))}\n`);
    }
    return texts.join("\n");
  }

  /** The metrics of every key by name, some keys a turn of the event loop: each has two dozen lines. */
  async function textsOfKeys(statuses: readonly KeyStatus[], policy: Policy): Promise<Map<string, string>> {
    const lines = new Map<string, string[]>();
    const now = clock.now();
    for (let from = 0; from === 0 || from < statuses.length; from += KEYS_A_TURN) {
      if (from > 0) await setImmediate();
      ofKeys.show(statuses.slice(from, from + KEYS_A_TURN), policy, now);
      for (const name of ofKeys.names) {
        const found = (await registry.getSingleMetricAsString(name)).split("\n");
        const before = lines.get(name);
        if (before === undefined) lines.set(name, found);
        // Without what says again what the metric is.
        else before.push(...found.slice(2));
      }
    }
    return new Map([...lines].map(([name, found]) => [name, found.join("\n")]));
  }

  let latest: { at: number; text: string } | undefined;
  let collecting: Promise<string> | undefined;

  return {
    contentType: registry.contentType,
    text() {
      const now = clock.now();
      if (latest && now >= latest.at && now - latest.at < FRESH_MS) return Promise.resolve(latest.text);
      collecting ??= collect()
        .then((text) => {
          latest = { at: clock.now(), text };
          return text;
        })
        .finally(() => {
          collecting = undefined;
        });
      return collecting;
    },
    async usageRead(ms) {
      if (keys) await within(ms, clock, usage.refresh(keys.policy()));
    },
    onProgress(progress) {
      seen.onProgress(progress);
      rotations.onProgress(progress);
    },
    passed(results, tookMs) {
      seen.passed(results);
      fares.passed(results, tookMs);
    },
    policyLoaded: fares.policyLoaded,
    journalDown: () => fares.journalRead(false),
    notified: fares.notified,
    called: calls.called,
    throttled: calls.throttled,
  };
}
