import { beforeEach, describe, expect, it } from "vitest";
import { systemRandom } from "../../src/lib/random.ts";
import type { Secret } from "../../src/lib/secret.ts";
import type { OpenRouterConfig } from "../../src/providers/openrouter/provider.ts";
import type { Provider } from "../../src/providers/provider.ts";
import { Faults } from "../../src/sandbox/faults.ts";
import { handlerSend } from "../../src/sandbox/handler-send.ts";
import { openRouterApi } from "../../src/sandbox/openrouter-api.ts";
import { ProviderModel } from "../../src/sandbox/provider-model.ts";
import { failureOf, openRouter } from "./open-router.ts";
import { virtualClock } from "./virtual-clock.ts";

let clock: ReturnType<typeof virtualClock>;
let model: ProviderModel;
let faults: Faults;
let managementKey: Secret;
beforeEach(() => {
  clock = virtualClock();
  model = new ProviderModel({ clock, random: systemRandom });
  faults = new Faults();
  managementKey = model.addManagementKey();
});

function client(config: Partial<OpenRouterConfig> = {}): Provider {
  const send = handlerSend(openRouterApi(model, faults), clock);
  return openRouter(managementKey.reveal(), { baseUrl: "http://sandbox/api/v1", ...config }, { send, clock });
}

const sent = (method: string) => model.requests.filter((request) => request.method === method);

describe("create is sent once, whatever happens to it", () => {
  it.each([
    ["create:lost-reply", "unclear", 1],
    ["create:reset", "unclear", 0],
    ["create:timeout", "unclear", 0],
    ["create:late", "unclear", 1],
    ["create:truncated", "unclear", 1],
    ["create:wrong-body", "malformed", 1],
    ["create:not-json", "malformed", 1],
    ["create:endless", "malformed", 1],
    ["create:redirect", "malformed", 0],
    ["create:500", "unclear", 0],
    ["create:done-500", "unclear", 1],
    ["create:html-502", "unclear", 0],
    ["create:400", "rejected", 0],
    ["create:401", "unauthorized", 0],
    ["create:403", "forbidden", 0],
    ["create:429", "throttled", 0],
    ["create:429-retry-after-2", "throttled", 0],
  ])("%s: %s, %i key made", async (fault, code, made) => {
    faults.add(`${fault}:all`);
    await expect(client().create("k", {})).rejects.toMatchObject({ code });
    await clock.sleep(60_000);
    expect(sent("POST")).toHaveLength(1);
    expect(model.liveKeys()).toHaveLength(made);
  });

  it("a key that is made late appears after the caller has given up", async () => {
    faults.add("create:late");
    const provider = client();
    await failureOf(provider.create("k", {}));
    expect(await provider.list()).toEqual([]);
    await clock.sleep(model.knobs.lateDelay);
    expect(await provider.list()).toMatchObject([{ name: "k" }]);
  });

  it("a provider slower than the timeout leaves a key behind, and the answer unclear", async () => {
    model.knobs.latency = 31_000;
    await expect(client().create("k", {})).rejects.toMatchObject({ code: "unclear" });
    await clock.sleep(2000);
    expect(model.liveKeys()).toMatchObject([{ name: "k" }]);
  });
});

describe("everything else is repeated while it may pass", () => {
  it.each([
    ["list", "500"],
    ["list", "html-502"],
    ["list", "reset"],
    ["list", "timeout"],
    ["list", "truncated"],
    ["list", "wrong-body"],
    ["list", "429"],
    ["get", "reset"],
    ["get", "429-retry-after-2"],
    ["update", "lost-reply"],
    ["update", "timeout"],
    ["delete", "429-retry-after-2"],
    ["delete", "500"],
    ["current", "503"],
  ] as const)("%s survives %s, three times", async (operation, fault) => {
    const { issued, key } = model.create({ name: "k" });
    faults.add(`${operation}:${fault}:3`);
    const provider = client();
    const calls = {
      list: () => provider.list(),
      get: () => provider.get(issued.hash),
      update: () => provider.update(issued.hash, { disabled: true }),
      delete: () => provider.delete(issued.hash),
      current: () => provider.current(key),
    };
    await calls[operation]();
    expect(model.requests).toHaveLength(4);
  });

  it("gives up after four tries, with the last error", async () => {
    faults.add("list:500:all");
    await expect(client().list()).rejects.toMatchObject({ code: "unclear", status: 500 });
    expect(model.requests).toHaveLength(4);
  });

  it("waits longer from try to try, with jitter", async () => {
    faults.add("list:500:3");
    await client().list();
    const waits = model.requests.slice(1).map(({ at }, i) => at - (model.requests[i]?.at ?? 0));
    for (const [i, ms] of waits.entries()) {
      expect(ms).toBeGreaterThanOrEqual(250 * 2 ** i);
      expect(ms).toBeLessThan(750 * 2 ** i + 1);
    }
  });

  it.each(["401", "403", "400", "redirect", "html-404", "endless"])("does not repeat %s", async (fault) => {
    faults.add(`list:${fault}:all`);
    await failureOf(client().list());
    expect(model.requests).toHaveLength(1);
  });

  it("takes a delete whose answer was lost for absent", async () => {
    const { issued } = model.create({ name: "k" });
    faults.add("delete:lost-reply");
    expect(await client().delete(issued.hash)).toBe("absent");
    expect(model.allKeys()).toEqual([]);
  });
});

describe("Retry-After holds for the whole provider", () => {
  it("lets no call begin before it is over, create included", async () => {
    const { issued } = model.create({ name: "k" });
    const provider = client();
    faults.add("get:429-retry-after-20");
    const start = clock.now();
    const other = provider.get(issued.hash);
    await clock.sleep(10);
    await Promise.all([other, provider.create("new", {}), provider.list(), provider.delete(issued.hash)]);
    const [first, ...later] = model.requests;
    expect(first).toMatchObject({ status: 429, at: start });
    expect(later.map(({ method }) => method).sort()).toEqual(["DELETE", "GET", "GET", "POST"]);
    for (const { at } of later) expect(at - start).toBeGreaterThanOrEqual(20_000);
  });

  it("is read as a date too", async () => {
    const send = handlerSend(openRouterApi(model, faults), clock);
    let first = true;
    const provider = openRouter(
      managementKey.reveal(),
      { baseUrl: "http://sandbox/api/v1" },
      {
        clock,
        send: async (request) => {
          if (!first) return send(request);
          first = false;
          const date = (ms: number) => new Date(clock.now() + ms).toUTCString();
          // Their clock is an hour ahead: the wait counts from their own date.
          return {
            status: 429,
            headers: { "retry-after": date(3_615_000), date: date(3_600_000) },
            body: "",
          };
        },
      },
    );
    const start = clock.now();
    await provider.list();
    expect(model.requests[0]?.at).toBe(start + 15_000);
  });

  it("is not sat out when it is long: the error says how long, and nothing more is sent", async () => {
    faults.add("list:429-retry-after-120");
    const provider = client();
    await expect(provider.list()).rejects.toMatchObject({ code: "throttled", retryAfterMs: 120_000 });
    const error = await failureOf(provider.create("k", {}));
    expect(error.code).toBe("throttled");
    expect(error.retryAfterMs).toBeGreaterThan(110_000);
    expect(model.requests).toHaveLength(1);
    await clock.sleep(120_000);
    await provider.create("k", {});
  });

  it("is taken to last an hour at most", async () => {
    faults.add("list:429-retry-after-99999999");
    await expect(client().list()).rejects.toMatchObject({ retryAfterMs: 3_600_000 });
  });

  it("does not outlast a clock that is set back", async () => {
    faults.add("list:429-retry-after-120");
    const provider = client();
    await failureOf(provider.list());
    clock.set(clock.now() - 86_400_000);
    expect(await provider.list()).toEqual([]);
  });
});

describe("the pace", () => {
  it("begins at most requestsPerSecond calls in any second", async () => {
    const provider = client({ rateLimit: { requestsPerSecond: 5, concurrency: 20 } });
    await Promise.all(Array.from({ length: 18 }, () => provider.get("absent")));
    const starts = model.requests.map(({ at }) => at).sort((a, b) => a - b);
    expect(starts).toHaveLength(18);
    for (const [i, at] of starts.slice(5).entries())
      expect(at - (starts[i] ?? 0)).toBeGreaterThanOrEqual(1000);
    expect((starts.at(-1) ?? 0) - (starts[0] ?? 0)).toBe(3000);
  });

  it("takes a rate of less than one in a second", async () => {
    const provider = client({ rateLimit: { requestsPerSecond: 0.5, concurrency: 4 } });
    await Promise.all([provider.get("a"), provider.get("b"), provider.get("c")]);
    const [first, second, third] = model.requests.map(({ at }) => at);
    expect([(second ?? 0) - (first ?? 0), (third ?? 0) - (second ?? 0)]).toEqual([2000, 2000]);
  });

  it("has at most concurrency calls open at once", async () => {
    let open = 0;
    let most = 0;
    const send = handlerSend(openRouterApi(model), clock);
    const provider = openRouter(
      managementKey.reveal(),
      { baseUrl: "http://sandbox/api/v1", rateLimit: { requestsPerSecond: 1000, concurrency: 3 } },
      {
        clock,
        send: async (request) => {
          most = Math.max(most, ++open);
          await clock.sleep(10);
          return send(request).finally(() => open--);
        },
      },
    );
    await Promise.all(Array.from({ length: 10 }, () => provider.get("absent")));
    expect(most).toBe(3);
  });
});

describe("the management key", () => {
  it("is read again at each call, so that it can be replaced", async () => {
    let key = managementKey;
    const send = handlerSend(openRouterApi(model), clock);
    const provider = openRouter(
      "",
      { baseUrl: "http://sandbox/api/v1" },
      { send, clock, readSecret: async () => key },
    );
    await provider.list();
    model.revokeManagementKey(managementKey);
    await expect(provider.list()).rejects.toMatchObject({ code: "unauthorized" });
    key = model.addManagementKey();
    expect(await provider.list()).toEqual([]);
  });

  it("that cannot be read ends the call before anything is sent", async () => {
    await expect(openRouter("", {}, { clock }).create("k", {})).rejects.toMatchObject({ code: "unusable" });
  });

  it("is not in the log, and neither is a key", async () => {
    const lines: unknown[] = [];
    const send = handlerSend(openRouterApi(model, faults), clock);
    const log = (...line: unknown[]) => lines.push(line);
    const provider = openRouter(
      managementKey.reveal(),
      { baseUrl: "http://sandbox/api/v1" },
      { send, clock, log },
    );
    faults.add("current:500");
    const { key } = await provider.create("k", {});
    await provider.current(key);
    const written = JSON.stringify(lines);
    expect(written).toContain("GET /api/v1/key 500");
    for (const secret of [key, managementKey]) expect(written).not.toContain(secret.reveal());
  });
});

it("compares clocks by the Date of the answers", async () => {
  const hourAhead = { ...clock, now: () => clock.now() + 3_600_000 };
  model = new ProviderModel({ clock: hourAhead, random: systemRandom });
  managementKey = model.addManagementKey();
  const provider = client();
  await provider.list();
  expect(Math.abs((provider.skewMs() ?? 0) - 3_600_000)).toBeLessThanOrEqual(500);
});
