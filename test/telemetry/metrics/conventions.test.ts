import { describe, expect, it } from "vitest";
import { ERROR_CODES } from "../../../src/lib/errors.ts";
import {
  CHANNELS,
  DELIVERIES,
  OTHER,
  OUTCOMES,
  PASS_RESULTS,
  PHASES,
  REASONS,
  STATES,
} from "../../../src/telemetry/metrics/closed-sets.ts";
import { hashOf } from "../../rotation/scenario.ts";
import type { Family } from "./exposition.ts";
import { measured } from "./measured.ts";

/** What a label may say, but for numbers of buckets. */
const ALLOWED: Record<string, readonly string[]> = {
  key: ["payments-api"],
  provider: ["openrouter"],
  store: ["local", "aws", "cluster"],
  state: STATES,
  phase: PHASES,
  outcome: ["ok", ...ERROR_CODES, ...OUTCOMES, ...DELIVERIES],
  reason: [...REASONS, OTHER],
  code: ERROR_CODES,
  result: PASS_RESULTS,
  channel: CHANNELS,
  version: ["1.2.3"],
  operation: [
    ...["list", "get", "create", "update", "delete", "current", "uncarried"],
    ...["read_attachments", "put_attachments"],
    ...["observe", "claim", "stage", "read", "promote", "fence", "drop"],
  ],
};

/** A whole rotation, with usage read and a notification or two. */
async function busy(process = false) {
  const one = await measured({ process, key: { settings: { limit: 150, expiresAfter: "45d" } } });
  one.metrics.policyLoaded(true);
  await one.scrape();
  await one.rotate();
  one.metrics.notified("slack", "failed");
  await one.metrics.usageRead(60_000);
  return { ...one, families: await one.scrape() };
}

const ours = (families: ReadonlyMap<string, Family>) =>
  [...families.values()].filter(({ name }) => name.startsWith("keyturn_"));

describe("names and units are as Prometheus advises", () => {
  it("ends a counter in _total, and nothing else", async () => {
    const { families } = await busy(true);
    expect(families.size).toBeGreaterThan(50);
    for (const { name, type } of families.values())
      expect([name, name.endsWith("_total")]).toEqual([name, type === "counter"]);
  });

  it("measures in seconds and credits, with the unit at the end", async () => {
    const { families } = await busy();
    for (const { name, type } of ours(families)) {
      expect(name).not.toMatch(/_(ms|millis\w*|minutes|hours|days|percent)(_|$)/);
      if (/_(duration|age|in|timestamp|throttled)(_|$)/.test(name))
        expect(name).toMatch(/_seconds(_total)?$/);
      if (type === "histogram") expect(name).toMatch(/_seconds$/);
    }
  });

  it("gives instants as Unix time in a name with _timestamp_seconds", async () => {
    const { families, world } = await busy();
    const instants = ours(families).filter(({ name }) => name.includes("timestamp"));
    expect(instants.length).toBeGreaterThan(6);
    for (const { name, type, samples } of instants) {
      expect([name, type]).toEqual([expect.stringMatching(/_timestamp_seconds$/), "gauge"]);
      for (const { value } of samples)
        expect(Math.abs(value - world.clock.now() / 1_000)).toBeLessThan(400 * 86_400);
    }
  });

  it("sets what ends in _info to 1", async () => {
    const { families } = await busy();
    const infos = ours(families).filter(({ name }) => name.endsWith("_info"));
    expect(infos.length).toBeGreaterThan(3);
    for (const { samples } of infos) for (const { value } of samples) expect(value).toBe(1);
  });

  it("says in a sentence what each metric is", async () => {
    const { families } = await busy();
    for (const { help } of ours(families)) expect(help).toMatch(/^[A-Z1].{15,}\.$/);
  });
});

describe("nothing in a scrape tells a secret or grows with what happens", () => {
  it("has only names of the policy and members of closed sets as label values", async () => {
    const { families } = await busy();
    for (const { samples } of ours(families))
      for (const { name, labels } of samples)
        for (const [label, value] of Object.entries(labels))
          if (label !== "le")
            expect([name, label, ALLOWED[label]?.includes(value) && value]).toEqual([name, label, value]);
  });

  it("shows no key, no hash, no fingerprint and no management key of a whole rotation", async () => {
    const { world, rotate, metrics, scrape } = await measured();
    const first = world.current() as string;
    await scrape();
    await rotate();
    await metrics.usageRead(60_000);
    world.clock.set(world.clock.now() + 2_000);
    const text = await metrics.text();
    const second = world.current() as string;
    expect(second).not.toBe(first);
    const told = [first, second].flatMap((key) => [
      key,
      hashOf(key) as string,
      (hashOf(key) as string).slice(0, 8),
    ]);
    for (const secret of [...told, world.managementKey.reveal(), "sk-or", "sha256"])
      expect(text).not.toContain(secret);
    expect(text).toContain('key="payments-api"');
  });
});
