import { beforeEach, describe, expect, it } from "vitest";
import { systemRandom } from "../../src/lib/random.ts";
import type { Provider } from "../../src/providers/provider.ts";
import { arouterApi, arouterModel } from "../../src/sandbox/arouter-api.ts";
import type { ARouterDialect } from "../../src/sandbox/arouter-dialect.ts";
import { Faults } from "../../src/sandbox/faults.ts";
import { handlerSend } from "../../src/sandbox/handler-send.ts";
import type { ProviderModel } from "../../src/sandbox/provider-model.ts";
import { arouter } from "./arouter.ts";
import { failureOf } from "./open-router.ts";
import { virtualClock } from "./virtual-clock.ts";

let clock: ReturnType<typeof virtualClock>;
let model: ProviderModel;
let faults: Faults;
beforeEach(() => {
  clock = virtualClock();
  model = arouterModel({ clock, random: systemRandom });
  faults = new Faults();
});

function client(dialect: Partial<ARouterDialect> = {}): Provider {
  const send = handlerSend(arouterApi(model, faults, dialect), clock);
  return arouter(model.addManagementKey().reveal(), { baseUrl: "http://sandbox/api/v1" }, { send, clock });
}

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
    ["create:402", "rejected", 0],
    ["create:401", "unauthorized", 0],
    ["create:403", "forbidden", 0],
    ["create:429-retry-after-2", "throttled", 0],
  ])("%s: %s, %i key made", async (fault, code, made) => {
    faults.add(`${fault}:all`);
    await expect(client().create("k", {})).rejects.toMatchObject({ code });
    await clock.sleep(60_000);
    expect(model.requests.filter(({ method }) => method === "POST")).toHaveLength(1);
    expect(model.liveKeys()).toHaveLength(made);
  });
});

describe("everything else is repeated while it may pass", () => {
  const cases = ["list", "get", "update", "delete", "current"].flatMap((operation) =>
    ["reset", "timeout", "500", "html-502", "429-retry-after-2", "truncated", "wrong-body"].map(
      (fault) => [operation, fault] as const,
    ),
  );
  it.each(cases)("%s survives %s", async (operation, fault) => {
    const { issued, key } = model.create({ name: "k" });
    faults.add(`${operation}:${fault}`);
    const provider = client({ deleted: "no-content" });
    const calls: Record<string, () => Promise<unknown>> = {
      list: () => provider.list(),
      get: () => provider.get(issued.hash),
      update: () => provider.update(issued.hash, { disabled: true }),
      delete: () => provider.delete(issued.hash),
      current: () => provider.current(key),
    };
    expect(await calls[operation]?.()).toBeTruthy();
  });

  it("gives up after four tries, with the last error", async () => {
    faults.add("list:500:all");
    await expect(client().list()).rejects.toMatchObject({ code: "unclear", status: 500 });
    expect(model.requests).toHaveLength(4);
  });

  it("a page that fails midway through a walk by tokens is asked for again, not skipped", async () => {
    for (let i = 0; i < 130; i++) model.create({ name: `${i}` });
    const provider = client({ nextToken: "next_page_token", largestPage: 50 });
    faults.add("list:500:2");
    expect(await provider.list()).toHaveLength(130);
  });
});

it("misses no key while others come and go during a walk by tokens", async () => {
  const there = Array.from({ length: 130 }, (_, i) => model.create({ name: `${i}` }).issued.hash);
  const handler = arouterApi(model, faults, { nextToken: "next_page_token", largestPage: 50 });
  const send = handlerSend(handler, clock);
  const provider = arouter(
    model.addManagementKey().reveal(),
    { baseUrl: "http://sandbox/api/v1" },
    {
      clock,
      send: async (request) => {
        const response = await send(request);
        model.delete(there.pop() ?? "");
        model.create({ name: "new" });
        return response;
      },
    },
  );
  const listed = (await provider.list()).map(({ hash }) => hash);
  expect(listed).toEqual(expect.arrayContaining(there));
});

it("finds no key by a route that is missing while the list is down", async () => {
  const { issued } = model.create({ name: "k" });
  const provider = client({ getByHash: "server-404" });
  faults.add("list:500:all");
  expect((await failureOf(provider.get(issued.hash))).code).toBe("unclear");
});

it("the management key and keys are neither in the log nor in errors", async () => {
  const lines: unknown[] = [];
  const managementKey = model.addManagementKey();
  const provider = arouter(
    managementKey.reveal(),
    { baseUrl: "http://sandbox/api/v1" },
    {
      send: handlerSend(arouterApi(model, faults, { created: "flat" }), clock),
      clock,
      log: (...line) => lines.push(line),
    },
  );
  const { key, issued } = await provider.create("k", {});
  faults.add("current:500:all");
  const error = await failureOf(provider.current(key));
  const written = JSON.stringify([lines, issued, error.message, error.hint]);
  for (const secret of [key, managementKey]) expect(written).not.toContain(secret.reveal());
});
