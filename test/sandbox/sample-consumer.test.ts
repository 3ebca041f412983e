import { mkdtemp, writeFile } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { fingerprint, type HealthBody, watchKey } from "../../src/consumer.ts";
import { type Clock, systemClock } from "../../src/lib/clock.ts";
import { createProbe } from "../../src/probes/create-probe.ts";
import type { Expected } from "../../src/probes/probe.ts";
import { type SampleConsumerOptions, startSampleConsumer } from "../../src/sandbox/sample-consumer.ts";
import { consumer, realParts, serve } from "../probes/support.ts";

const DELAY = 60_000;

/** The delay before a new key is applied passes when the test says so; all else runs in real time. */
function patientClock(): Clock & { pass(): void } {
  let pass = () => {};
  return {
    now: systemClock.now,
    sleep: (ms, signal) =>
      ms === DELAY
        ? new Promise((resolve) => {
            pass = resolve;
            signal?.addEventListener("abort", () => resolve());
          })
        : systemClock.sleep(ms, signal),
    pass: () => pass(),
  };
}

/** A provider that notes the keys it is asked with; `hold` keeps the answers back. */
async function provider(accepts: (key: string) => boolean = () => true) {
  const seen = new Set<string>();
  const held: ServerResponse[] = [];
  const state = {
    seen,
    hold: false,
    release: () => held.splice(0).forEach((response) => void response.end("{}")),
    url: "",
  };
  const port = await serve((request, response) => {
    const key = (request.headers.authorization ?? "").replace("Bearer ", "");
    seen.add(key);
    expect(`${request.method} ${request.url}`).toBe("POST /api/v1/chat/completions");
    if (!accepts(key)) response.writeHead(401).end("{}");
    else if (state.hold) held.push(response);
    else response.end("{}");
  });
  state.url = `http://127.0.0.1:${port}/api/v1`;
  return state;
}

type Options = Partial<SampleConsumerOptions> & { providerUrl: string; field?: string };

async function start({ field, ...options }: Options, content?: string) {
  const file = join(await mkdtemp(join(tmpdir(), "keyturn-")), "key");
  if (content !== undefined) await writeFile(file, content);
  const clock = patientClock();
  const sample = await startSampleConsumer({
    name: "payments",
    keyName: "payments-api",
    instance: "payments-1",
    applyDelayMs: DELAY,
    requestsPerSecond: 200,
    watch: (onChange) => watchKey(file, { field, intervalMs: 500, onChange }),
    model: "openrouter/auto",
    clock,
    ...options,
  });
  onTestFinished(() => sample.close());
  const probe = createProbe(consumer({ http: `${sample.url}/healthz` }), realParts());
  const verdict = async (key: string, outgoing: string[] = []) => {
    const expected: Expected = {
      keyNames: ["payments-api"],
      fingerprint: fingerprint(key),
      hash: "h",
      label: "l",
      version: "v",
      outgoing: outgoing.map(fingerprint),
    };
    return (await probe.sweep(expected)).instances[0]?.verdict;
  };
  const health = async () => (await (await fetch(`${sample.url}/healthz`)).json()) as HealthBody;
  return { ...sample, file, clock, verdict, health };
}

test("without a key it sends nothing and says that it waits; with its first key it starts", async () => {
  const { url: providerUrl, seen } = await provider();
  const sample = await start({ providerUrl });
  const answer = await fetch(`${sample.url}/healthz`);
  expect(answer.status).toBe(503);
  expect(await answer.json()).toEqual({
    status: "waiting",
    instance: "payments-1",
    keys: { "payments-api": { serving: null, holding: [] } },
  });
  expect(sample.stats()).toEqual({ sent: 0, failed: 0, failures: [] });
  await writeFile(sample.file, "k1");
  await expect.poll(() => sample.verdict("k1")).toBe("confirms");
  await expect.poll(() => [...seen]).toEqual(["k1"]);
});

test("a new key is served with only after the delay, and until then the old one is", async () => {
  const { url: providerUrl, seen } = await provider();
  const sample = await start({ providerUrl }, "k1");
  expect(await sample.verdict("k1")).toBe("confirms");
  await writeFile(sample.file, "k2");
  await expect
    .poll(async () => (await sample.health()).keys["payments-api"]?.holding)
    .toContain(fingerprint("k2"));
  expect(await sample.verdict("k2", ["k1"])).toBe("other");
  expect(await sample.verdict("k1", ["k2"])).toBe("holds");
  expect([...seen]).toEqual(["k1"]);
  sample.clock.pass();
  await expect.poll(() => sample.verdict("k2", ["k1"])).toBe("confirms");
  await expect.poll(() => [...seen]).toEqual(["k1", "k2"]);
  expect(sample.stats()).toMatchObject({ failed: 0, failures: [] });
});

test("the old key is held until the requests that bear it have ended", async () => {
  const api = await provider();
  const sample = await start({ providerUrl: api.url }, "k1");
  api.hold = true;
  await expect.poll(() => api.seen.size).toBe(1);
  await writeFile(sample.file, "k2");
  await fetch(`${sample.url}/-/reload`, { method: "POST" });
  await expect.poll(() => sample.verdict("k2", ["k1"])).toBe("holds");
  api.hold = false;
  api.release();
  await expect.poll(() => sample.verdict("k2", ["k1"])).toBe("confirms");
});

test("a reload applies the key at once", async () => {
  const sample = await start({ providerUrl: (await provider()).url }, "k1");
  await writeFile(sample.file, "k2");
  expect((await fetch(`${sample.url}/-/reload`, { method: "POST" })).status).toBe(200);
  expect((await sample.health()).keys["payments-api"]?.serving).toBe(fingerprint("k2"));
});

test("failed requests are counted with their reasons, without the key", async () => {
  const { url: providerUrl } = await provider((key) => key !== "k-bad");
  const sample = await start({ providerUrl }, "k-bad");
  await expect.poll(() => sample.stats().failed).toBeGreaterThan(2);
  const { sent, failed, failures } = sample.stats();
  expect(sent).toBeGreaterThanOrEqual(failed);
  expect(failures[0]).toBe(`HTTP 401 with key ${fingerprint("k-bad").slice(0, 19)}…`);
});

test("the field of a JSON file is the key", async () => {
  const sample = await start(
    { providerUrl: (await provider()).url, field: "KEY" },
    '{"KEY":"k1","OTHER":"x"}',
  );
  expect(await sample.verdict("k1")).toBe("confirms");
});

test("closing ends the traffic and the server", async () => {
  const sample = await start({ providerUrl: (await provider()).url }, "k1");
  await expect.poll(() => sample.stats().sent).toBeGreaterThan(0);
  await sample.close();
  const { sent } = sample.stats();
  await expect(fetch(`${sample.url}/healthz`)).rejects.toThrow();
  expect(sample.stats()).toEqual({ sent, failed: 0, failures: [] });
});
