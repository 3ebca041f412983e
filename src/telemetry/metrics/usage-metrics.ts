import { Gauge, type Registry } from "prom-client";
import type { Clock } from "../../lib/clock.ts";
import type { Policy, ProviderPolicy } from "../../policy/schema.ts";
import type { IssuedKey, Provider } from "../../providers/provider.ts";
import type { KeyStatus } from "../../rotation/report.ts";

/** How long what a walk has found is shown before another one is started, in milliseconds. */
const FRESH_MS = 5 * 60_000;

interface Walk {
  startedAt: number;
  running?: Promise<void>;
  /** What the latest walk that succeeded has found, by hash; and when it ended. */
  found?: { keys: Map<string, IssuedKey>; at: number };
  failed: boolean;
}

export interface UsageMetrics {
  /** Starts a walk of each provider whose latest one is too old. Resolves when they have ended; never rejects. */
  refresh(policy: Policy): Promise<void>;
  /** Shows what is known of the keys in use. */
  show(statuses: readonly KeyStatus[], policy: Policy): void;
}

/** What keys have spent and may spend, as the providers' lists of keys say. */
export function usageMetrics(
  registry: Registry,
  parts: { clock: Clock; provider(name: string, config: ProviderPolicy): Provider },
): UsageMetrics {
  const gauge = (name: string, help: string, label: string) =>
    new Gauge({ name: `keyturn_${name}`, help, labelNames: [label], registers: [registry] });
  const usage = gauge(
    "key_usage_credits",
    "What the key in use has spent; it starts anew with each key.",
    "key",
  );
  const limit = gauge("key_limit_credits", "The spending limit of the key in use; absent for none.", "key");
  const remaining = gauge(
    "key_remaining_credits",
    "What is left of the limit of the key in use; absent for none.",
    "key",
  );
  const up = gauge(
    "provider_usage_up",
    "1 when the latest walk of the provider's list of keys succeeded, 0 when it failed; absent before the first.",
    "provider",
  );
  const readAt = gauge(
    "provider_usage_timestamp_seconds",
    "When usage and limits of the provider's keys were last read; Unix time.",
    "provider",
  );
  const walks = new Map<string, Walk>();

  async function walk(its: Walk, name: string, config: ProviderPolicy, policy: Policy): Promise<void> {
    try {
      const keys = await parts.provider(name, config).list(workspacesOf(name, policy));
      its.found = { keys: new Map(keys.map((key) => [key.hash, key])), at: parts.clock.now() };
      its.failed = false;
    } catch {
      // Whoever called the provider for its own purpose says why; the calls' metrics count it.
      its.failed = true;
    } finally {
      delete its.running;
    }
  }

  return {
    async refresh(policy) {
      const now = parts.clock.now();
      const used = new Set(policy.keys.map(({ provider }) => provider));
      for (const name of walks.keys()) if (!used.has(name)) walks.delete(name);
      for (const name of used) {
        const config = policy.providers[name];
        const before = walks.get(name);
        if (config === undefined || before?.running) continue;
        if (before && now >= before.startedAt && now - before.startedAt < FRESH_MS) continue;
        const its: Walk = { failed: false, ...before, startedAt: now };
        walks.set(name, its);
        its.running = walk(its, name, config, policy);
      }
      await Promise.all([...walks.values()].map(({ running }) => running));
    },

    show(statuses, policy) {
      for (const one of [usage, limit, remaining, up, readAt]) one.reset();
      for (const [provider, { found, failed }] of walks) {
        if (!Object.hasOwn(policy.providers, provider)) continue;
        if (found || failed) up.set({ provider }, failed ? 0 : 1);
        if (found) readAt.set({ provider }, found.at / 1_000);
      }
      for (const { key, provider, current } of statuses) {
        const issued = current && walks.get(provider)?.found?.keys.get(current.hash);
        if (issued === undefined) continue;
        setIfKnown(usage, key, issued.usage);
        setIfKnown(limit, key, issued.limit);
        setIfKnown(remaining, key, issued.limitRemaining);
      }
    },
  };
}

function setIfKnown(gauge: Gauge, key: string, value: number | null | undefined): void {
  if (typeof value === "number" && Number.isFinite(value)) gauge.set({ key }, value);
}

/** The default workspace is walked in any case. */
function workspacesOf(provider: string, { keys }: Policy): string[] {
  const named = keys.filter((key) => key.provider === provider).map((key) => key.settings.workspaceId);
  return [...new Set(named.filter((workspace) => workspace !== undefined))];
}
