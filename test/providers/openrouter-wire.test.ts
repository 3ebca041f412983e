import nock from "nock";
import { afterEach, beforeEach, expect, it } from "vitest";
import { Secret } from "../../src/lib/secret.ts";
import { failureOf, openRouter } from "./open-router.ts";

const HASH = "f01d52606dc8f0a8303a7b5cc3fa07109c2e346cec7c0a16b40de462992ce943";
const MANAGEMENT_KEY = "sk-or-v1-management";
const documented = {
  created_at: "2025-02-19T20:52:27.363244+00:00",
  updated_at: null,
  hash: HASH,
  label: "sk-or-v1-abc...123",
  name: "Customer Key",
  disabled: false,
  limit: 10,
  limit_remaining: 4,
  limit_reset: "weekly",
  include_byok_in_limit: false,
  usage: 6,
  byok_usage: 1,
};

beforeEach(() => nock.disableNetConnect());
afterEach(() => {
  nock.cleanAll();
  nock.enableNetConnect();
});

const api = (headers: Record<string, string> = {}) =>
  nock("https://openrouter.ai", {
    reqheaders: { authorization: `Bearer ${MANAGEMENT_KEY}`, accept: "application/json", ...headers },
  });
const provider = openRouter(MANAGEMENT_KEY);

it("creates with every field that is given, in the API's words", async () => {
  const wire = api({ "content-type": "application/json" })
    .post("/api/v1/keys", {
      name: "prod/payments-api",
      limit: 150,
      limit_reset: "monthly",
      include_byok_in_limit: true,
      expires_at: "2027-12-31T23:59:59Z",
      workspace_id: "0df9e665-d932-5740-b2c7-b52af166bc11",
      creator_user_id: "user_1",
    })
    .reply(201, { data: documented, key: "sk-or-v1-plaintext" });
  const { key, issued } = await provider.create("prod/payments-api", {
    limit: 150,
    limitReset: "monthly",
    includeByokInLimit: true,
    expiresAt: "2027-12-31T23:59:59Z",
    workspaceId: "0df9e665-d932-5740-b2c7-b52af166bc11",
    creatorUserId: "user_1",
  });
  expect(key.reveal()).toBe("sk-or-v1-plaintext");
  expect(issued).toEqual({
    hash: HASH,
    name: "Customer Key",
    label: "sk-or-v1-abc...123",
    disabled: false,
    limit: 10,
    limitRemaining: 4,
    limitReset: "weekly",
    includeByokInLimit: false,
    usage: 6,
    byokUsage: 1,
    createdAt: "2025-02-19T20:52:27.363244+00:00",
    updatedAt: null,
    raw: documented,
  });
  wire.done();
});

it("sends no field that is not given, and null where null is given", async () => {
  const wire = api()
    .post("/api/v1/keys", { name: "a" })
    .reply(201, { data: { hash: HASH }, key: "k" })
    .post("/api/v1/keys", { name: "b", limit: null, limit_reset: null, expires_at: null })
    .reply(201, { data: { hash: HASH }, key: "k" });
  await provider.create("a", {});
  await provider.create("b", { limit: null, limitReset: null, expiresAt: null });
  wire.done();
});

it("reads a created key from as little as key and data.hash", async () => {
  api()
    .post("/api/v1/keys")
    .reply(201, { data: { hash: HASH, limit: "many", name: 7 }, key: "k" });
  const { issued } = await provider.create("a", {});
  expect(issued).toMatchObject({ hash: HASH, limit: undefined, name: undefined });
});

it.each([
  ["no key", { data: { hash: HASH } }],
  ["an empty key", { data: { hash: HASH }, key: "" }],
  ["no hash", { data: {}, key: "sk-or-v1-plaintext" }],
  ["nothing", {}],
  ["a list", []],
])("takes a create answered with %s for one that may have happened", async (_, body) => {
  api().post("/api/v1/keys").reply(201, body);
  const error = await failureOf(provider.create("a", {}));
  expect(error.code).toBe("malformed");
  expect(JSON.stringify(error) + error.stack).not.toContain("plaintext");
});

it("updates with the five fields that the API takes", async () => {
  const wire = api({ "content-type": "application/json" })
    .patch(`/api/v1/keys/${HASH}`, {
      name: "n",
      disabled: true,
      limit: 75,
      limit_reset: "daily",
      include_byok_in_limit: true,
    })
    .reply(200, { data: documented })
    .patch(`/api/v1/keys/${HASH}`, { disabled: false })
    .reply(200, { data: documented });
  await provider.update(HASH, {
    name: "n",
    disabled: true,
    limit: 75,
    limitReset: "daily",
    includeByokInLimit: true,
  });
  await provider.update(HASH, { disabled: false });
  wire.done();
});

it("refuses ARouter's restrictions rather than dropping them in silence", async () => {
  const call = provider.create("a", { allowedModels: ["gpt-5.4"] });
  await expect(call).rejects.toMatchObject({
    code: "rejected",
    message: expect.stringContaining("allowedModels"),
  });
});

it("gets, deletes and asks about the key in use at their paths", async () => {
  const wire = api()
    .get(`/api/v1/keys/${HASH}`)
    .reply(200, { data: documented })
    .delete(`/api/v1/keys/${HASH}`)
    .reply(200, { deleted: true });
  const own = nock("https://openrouter.ai", { reqheaders: { authorization: "Bearer sk-or-v1-own" } })
    .get("/api/v1/key")
    .reply(200, {
      data: {
        label: "sk-or-v1-own...own",
        usage: 1.5,
        limit: null,
        limit_remaining: null,
        is_management_key: false,
      },
    });
  expect(await provider.get(HASH)).toMatchObject({ hash: HASH });
  expect(await provider.delete(HASH)).toBe("deleted");
  expect(await provider.current(new Secret("sk-or-v1-own"))).toMatchObject({
    accepted: true,
    key: { label: "sk-or-v1-own...own", usage: 1.5, limit: null, isManagementKey: false },
  });
  wire.done();
  own.done();
});

it("lists the default workspace and those named, disabled keys included", async () => {
  const wire = api()
    .get("/api/v1/keys?offset=0&include_disabled=true")
    .reply(200, { data: [documented] })
    .get("/api/v1/keys?offset=0&include_disabled=true&workspace_id=w1")
    .reply(200, { data: [] });
  expect(await provider.list(["w1", "w1"])).toHaveLength(1);
  wire.done();
});

it("sends extra headers, but lets none replace the credential", async () => {
  const other = openRouter(MANAGEMENT_KEY, {
    baseUrl: "https://openrouter.ai/api/v1/",
    headers: { "HTTP-Referer": "https://example.com", Authorization: "Bearer other" },
  });
  const wire = api({ "http-referer": "https://example.com" })
    .get(`/api/v1/keys/${HASH}`)
    .reply(200, { data: documented });
  await other.get(HASH);
  wire.done();
});

it("refuses a hash that would turn a call about one key into another call", async () => {
  for (const hash of ["", ".", ".."])
    await expect(provider.delete(hash)).rejects.toMatchObject({ code: "internal" });
});

it("does not follow a redirect, which would carry the management key elsewhere", async () => {
  const elsewhere = nock("https://elsewhere.example").get(/./).reply(200, { data: documented });
  api()
    .get(`/api/v1/keys/${HASH}`)
    .reply(302, "", { location: `https://elsewhere.example/keys/${HASH}` });
  const error = await failureOf(provider.get(HASH));
  expect(error).toMatchObject({ code: "malformed", status: 302, hint: expect.stringContaining("baseUrl") });
  expect(elsewhere.isDone()).toBe(false);
});

it("takes a 404 for absence only when the API itself says so", async () => {
  const notFound = { error: { code: 404, message: "Resource not found" } };
  api().get(`/api/v1/keys/${HASH}`).reply(404, notFound).delete(`/api/v1/keys/${HASH}`).reply(404, notFound);
  expect(await provider.get(HASH)).toBeUndefined();
  expect(await provider.delete(HASH)).toBe("absent");

  for (const body of ["<!doctype html><title>Not here</title>", "", { detail: "Not Found" }]) {
    api().get(`/api/v1/keys/${HASH}`).reply(404, body).delete(`/api/v1/keys/${HASH}`).reply(404, body);
    const expected = { code: "malformed", status: 404, hint: expect.stringContaining("baseUrl") };
    await expect(provider.get(HASH)).rejects.toMatchObject(expected);
    await expect(provider.delete(HASH)).rejects.toMatchObject(expected);
  }
});

it.each([
  [400, "rejected"],
  [402, "rejected"],
  [409, "rejected"],
  [401, "unauthorized"],
  [403, "forbidden"],
  [404, "malformed"],
  [429, "throttled"],
  [408, "unclear"],
  [500, "unclear"],
  [502, "unclear"],
])("takes HTTP %i on create for %s, quoting what the API says", async (status, code) => {
  const once = api()
    .post("/api/v1/keys")
    .reply(status, { error: { code: status, message: "for some reason" } });
  const error = await failureOf(provider.create("a", {}));
  expect(error).toMatchObject({ code, status, message: expect.stringContaining("“for some reason”") });
  once.done();
});

it("names the variable or file to check when the management key is refused", async () => {
  const refusal = { error: { code: 401, message: "User not found." } };
  api().get(/keys/).reply(401, refusal);
  expect((await failureOf(provider.list())).hint).toContain("environment variable OPENROUTER_MANAGEMENT_KEY");
  nock("https://openrouter.ai")
    .get(/keys/)
    .reply(403, { error: { code: 403, message: "Only management keys" } });
  const fromFile = openRouter(
    MANAGEMENT_KEY,
    { managementKey: { file: "/run/secrets/openrouter" } },
    { readSecret: async () => new Secret(MANAGEMENT_KEY) },
  );
  const { hint } = await failureOf(fromFile.list());
  expect(hint).toContain("file /run/secrets/openrouter");
  expect(hint).toContain("an ordinary API key cannot manage keys");
});

it("redacts whatever looks like a key from what the API says, and bounds it", async () => {
  const message = `bad sk-or-v1-0123456789abcdef, lr_live_0123456789, Bearer xyz and ${MANAGEMENT_KEY} ${"x".repeat(500)}`;
  api()
    .get(/keys/)
    .reply(400, { error: { code: 400, message } });
  const error = await failureOf(provider.list());
  expect(error.message).toContain("bad [secret], [secret], Bearer [secret] and [secret] xxx");
  expect(error.message.length).toBeLessThan(300);
});

it("redacts a management key of any form that the answer echoes", async () => {
  const odd = openRouter("correct horse battery staple");
  nock("https://openrouter.ai")
    .get(/keys/)
    .reply(400, { error: { message: "no: correct horse battery staple" } });
  expect((await failureOf(odd.list())).message).not.toContain("horse");
});

it("says of a key in use that it is refused only when the API itself says so", async () => {
  const key = new Secret("sk-or-v1-own");
  const at = () => nock("https://openrouter.ai").get("/api/v1/key");
  at().reply(401, { error: { code: 401, message: "User not found." } });
  expect(await provider.current(key)).toEqual({ accepted: false });
  at().reply(401, "<h1>Log in to the network</h1>");
  await expect(provider.current(key)).rejects.toMatchObject({ code: "unauthorized" });
  at().reply(403, "<h1>Blocked</h1>");
  await expect(provider.current(key)).rejects.toMatchObject({
    code: "forbidden",
    hint: expect.stringContaining("in front"),
  });
});

it("does not take a list with a nameless entry, or another key's answer, for the truth", async () => {
  const calm = openRouter(MANAGEMENT_KEY, {}, { clock: { now: Date.now, sleep: async () => {} } });
  api()
    .get(/keys\?/)
    .times(4)
    .reply(200, { data: [documented, { name: "no hash" }] });
  await expect(calm.list()).rejects.toMatchObject({ code: "malformed" });
  api()
    .get(/keys\//)
    .times(4)
    .reply(200, { data: { ...documented, hash: "another" } });
  await expect(calm.get(HASH)).rejects.toMatchObject({ code: "malformed" });
});

it("keeps plaintext that an answer shows out of what is displayed", async () => {
  const leaky = { ...documented, key: "sk-or-v1-0123456789abcdef", note: "was sk-or-v1-0123456789abcdef" };
  api().get(/keys/).reply(200, { data: leaky });
  expect(JSON.stringify(await provider.get(HASH))).not.toContain("0123456789abcdef");
});
