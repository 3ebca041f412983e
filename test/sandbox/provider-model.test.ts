import { beforeEach, expect, it } from "vitest";
import { randomId, systemRandom } from "../../src/lib/random.ts";
import type { Knobs } from "../../src/sandbox/model-types.ts";
import { openRouterApi } from "../../src/sandbox/openrouter-api.ts";
import { ProviderModel } from "../../src/sandbox/provider-model.ts";
import { virtualClock } from "../providers/virtual-clock.ts";

// A Wednesday.
const START = Date.parse("2027-03-10T12:00:00Z");
let clock: ReturnType<typeof virtualClock>;
let model: ProviderModel;

function make(knobs: Partial<Knobs> = {}): void {
  clock = virtualClock(START);
  model = new ProviderModel({ clock, random: systemRandom, ...knobs });
}
beforeEach(() => make());

async function call(method: string, path: string, credential = "", body?: unknown) {
  const response = await openRouterApi(model)(
    new Request(`http://sandbox/api/v1${path}`, {
      method,
      headers: credential ? { authorization: `Bearer ${credential}` } : {},
      body: body === undefined ? undefined : JSON.stringify(body),
    }),
  );
  return { status: response.status, headers: response.headers, json: JSON.parse(await response.text()) };
}
const chat = (key: string) =>
  call("POST", "/chat/completions", key, { model: "openai/gpt-5.4", messages: [] });
const works = (key: string) => model.accepted(key) !== undefined;

it("issues keys of OpenRouter's form, with the hash of the whole key and a masked label", () => {
  const { key, issued } = model.create({ name: "k" });
  expect(key.reveal()).toMatch(/^sk-or-v1-[0-9a-f]{64}$/);
  expect(`sha256:${issued.hash}`).toBe(key.fingerprint());
  expect(issued.label).toBe(`${key.reveal().slice(0, 12)}...${key.reveal().slice(-4)}`);
  expect(JSON.stringify(model.allKeys())).not.toContain(key.reveal());
});

it("activates, disables, enables and deletes when its knobs say, not before", () => {
  make({ activationDelay: 1000, disableDelay: 2000, enableDelay: 3000, deleteDelay: 4000 });
  const { key, issued } = model.create({ name: "k" });
  const at = (ms: number) => {
    clock.set(START + ms);
    return works(key.reveal());
  };
  expect([at(999), at(1000)]).toEqual([false, true]);
  model.update(issued.hash, { disabled: true });
  expect([at(2999), at(3000)]).toEqual([true, false]);
  model.update(issued.hash, { disabled: false });
  expect([at(5999), at(6000)]).toEqual([false, true]);
  model.delete(issued.hash);
  expect(model.key(issued.hash)).toBeUndefined();
  expect([at(9999), at(10_000)]).toEqual([true, false]);
});

it("lets the latest command win over one that has not yet arrived everywhere", () => {
  make({ disableDelay: 5000 });
  const { key, issued } = model.create({ name: "k" });
  model.update(issued.hash, { disabled: true });
  model.update(issued.hash, { disabled: false });
  clock.set(START + 60_000);
  expect(works(key.reveal())).toBe(true);
});

it("refuses a key from the instant of its expiry", () => {
  const { key } = model.create({ name: "k", expiresAt: "2027-03-10T13:00:00Z" });
  clock.set(START + 3_599_999);
  expect(works(key.reveal())).toBe(true);
  clock.set(START + 3_600_000);
  expect(works(key.reveal())).toBe(false);
});

it("shows and forgets keys in the list as late as its knob says", () => {
  make({ listDelay: 1000 });
  const names = () => model.list({ offset: 0, includeDisabled: true }).map(({ name }) => name);
  const { issued } = model.create({ name: "k" });
  expect(names()).toEqual([]);
  clock.set(START + 1000);
  expect(names()).toEqual(["k"]);
  model.delete(issued.hash);
  expect(names()).toEqual(["k"]);
  clock.set(START + 2000);
  expect(names()).toEqual([]);
});

it("lists newest first, a hundred at a time, disabled keys only when asked", async () => {
  for (let i = 0; i < 101; i++) model.create({ name: `${i}` });
  const newest = model.list({ offset: 0, includeDisabled: false });
  expect([newest.length, newest[0]?.name, newest[99]?.name]).toEqual([100, "100", "1"]);
  model.update(newest[0]?.hash ?? "", { disabled: true });
  expect(model.list({ offset: 0, includeDisabled: false })[0]?.name).toBe("99");
  expect(model.list({ offset: 100, includeDisabled: true }).map(({ name }) => name)).toEqual(["0"]);
});

it.each([
  ["daily", "2027-03-10T23:59:59Z", "2027-03-11T00:00:00Z"],
  ["weekly", "2027-03-14T23:59:59Z", "2027-03-15T00:00:00Z"],
  ["monthly", "2027-03-31T23:59:59Z", "2027-04-01T00:00:00Z"],
] as const)("starts a %s limit afresh at midnight UTC", async (limitReset, before, after) => {
  const { key, issued } = model.create({ name: "k", limit: 0.0001, limitReset });
  expect((await chat(key.reveal())).status).toBe(200);
  clock.set(Date.parse(before));
  expect((await chat(key.reveal())).status).toBe(403);
  clock.set(Date.parse(after));
  expect((await chat(key.reveal())).status).toBe(200);
  expect(model.key(issued.hash)?.usage.total).toBeCloseTo(0.0002);
});

it("never starts a limit without reset afresh", async () => {
  const { key } = model.create({ name: "k", limit: 0.0001 });
  await chat(key.reveal());
  clock.set(START + 400 * 86_400_000);
  expect((await chat(key.reveal())).status).toBe(403);
});

it("counts usage by own keys in the limit only where the key says so", () => {
  const plain = model.create({ name: "a", limit: 5 }).issued;
  const included = model.create({ name: "b", limit: 5, includeByokInLimit: true }).issued;
  for (const { hash } of [plain, included]) model.spend(hash, 5, { byok: true });
  expect(model.spend(plain.hash, 1)).toBe("spent");
  expect(model.spend(included.hash, 1)).toBe("over-limit");
});

it("answers 402 when the account has no credits, 401 to a key that is not accepted", async () => {
  const { key, issued } = model.create({ name: "k" });
  model.setCredits(0);
  expect((await chat(key.reveal())).status).toBe(402);
  model.setCredits(1);
  const answer = await chat(key.reveal());
  expect(answer.json).toMatchObject({ model: "openai/gpt-5.4", usage: { cost: 0.0001 } });
  model.update(issued.hash, { disabled: true });
  expect((await chat(key.reveal())).status).toBe(401);
  expect((await chat("sk-or-v1-unknown")).status).toBe(401);
  expect((await chat("")).json.error.message).toBe("Missing Authentication header");
});

it("lets a management key manage, and not call models", async () => {
  const manager = model.addManagementKey().reveal();
  expect((await call("GET", "/keys", manager)).status).toBe(200);
  expect((await call("GET", "/key", manager)).json.data.is_management_key).toBe(true);
  expect((await chat(manager)).status).toBe(403);
  model.revokeManagementKey(model.addManagementKey(manager));
  expect((await call("GET", "/keys", manager)).status).toBe(401);
});

it("keeps accounts apart", async () => {
  const other = model.addManagementKey(undefined, "other").reveal();
  const { issued } = model.create({ name: "mine" });
  expect((await call("GET", "/keys", other)).json.data).toEqual([]);
  expect((await call("DELETE", `/keys/${issued.hash}`, other)).status).toBe(404);
  expect(model.liveKeys()).toHaveLength(1);
});

it("accepts a trailing slash, and answers unknown paths with 404", async () => {
  const manager = model.addManagementKey().reveal();
  expect((await call("POST", "/keys/", manager, { name: "k" })).status).toBe(201);
  expect((await call("GET", "/keys/", manager)).json.data).toHaveLength(1);
  expect((await call("GET", "/nothing", manager)).json).toEqual({
    error: { code: 404, message: "Not Found" },
  });
});

it.each([
  [{}, "name"],
  [{ name: "" }, "name"],
  [{ name: "k", limit: "10" }, "limit"],
  [{ name: "k", limit: -1 }, "limit"],
  [{ name: "k", limit_reset: "yearly" }, "limit_reset"],
  [{ name: "k", expires_at: "2027-12-31T23:59:59+01:00" }, "expires_at"],
  [{ name: "k", expires_at: "2020-12-31T23:59:59Z" }, "expires_at"],
  [{ name: "k", workspace_id: "no-such" }, "workspace_id"],
  [{ name: "k", disabled: true }, "disabled"],
  [{ name: "k", toString: 1 }, "toString"],
  [[], "object"],
])("refuses to create with %j, naming %s", async (body, named) => {
  const answer = await call("POST", "/keys", model.addManagementKey().reveal(), body);
  expect(answer).toMatchObject({
    status: 400,
    json: { error: { code: 400, message: expect.stringContaining(named) } },
  });
  expect(model.allKeys()).toEqual([]);
});

it.each([{ expires_at: null }, { workspace_id: "w" }, { disabled: "yes" }, { name: null }])(
  "refuses to update with %j, which is fixed at creation or of a wrong type",
  async (body) => {
    const { issued } = model.create({ name: "k" });
    expect(
      (await call("PATCH", `/keys/${issued.hash}`, model.addManagementKey().reveal(), body)).status,
    ).toBe(400);
    expect(model.key(issued.hash)).toEqual(issued);
  },
);

it("leaves the newer fields out in the older shape", async () => {
  make({ shape: "seed" });
  model.create({ name: "k" });
  const { json } = await call("GET", "/keys", model.addManagementKey().reveal());
  expect(Object.keys(json.data[0]).sort()).toEqual(
    [
      ...["created_at", "updated_at", "hash", "label", "name", "disabled"],
      ...["limit", "limit_remaining", "limit_reset", "include_byok_in_limit"],
      ...["usage", "usage_daily", "usage_weekly", "usage_monthly"],
      ...["byok_usage", "byok_usage_daily", "byok_usage_weekly", "byok_usage_monthly"],
    ].sort(),
  );
});

it("dates its answers by its own clock", async () => {
  expect((await call("GET", "/keys")).headers.get("date")).toBe("Wed, 10 Mar 2027 12:00:00 GMT");
});

it("logs each request without credentials or bodies", async () => {
  const manager = model.addManagementKey().reveal();
  const name = randomId(systemRandom);
  await call("POST", "/keys?secret=s", manager, { name });
  expect(model.requests).toEqual([{ at: START, method: "POST", path: "/api/v1/keys", status: 201 }]);
});
