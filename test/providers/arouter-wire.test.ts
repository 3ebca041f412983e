import nock from "nock";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Secret } from "../../src/lib/secret.ts";
import { arouter } from "./arouter.ts";
import { failureOf, openRouter } from "./open-router.ts";

const HASH = "abc123";
const MANAGEMENT_KEY = "lr_mgmt_management";
const documented = {
  hash: HASH,
  name: "production-backend",
  key_type: "regular",
  disabled: false,
  limit: 150,
  limit_remaining: 150,
  limit_reset: "monthly",
  allowed_providers: ["openai", "anthropic"],
  allowed_models: ["gpt-5.4", "claude-sonnet-4.6"],
  usage: 0,
  created_at: "2025-01-15T10:30:00Z",
  expires_at: "2025-12-31T23:59:59Z",
};

beforeEach(() => nock.disableNetConnect());
afterEach(() => {
  nock.cleanAll();
  nock.enableNetConnect();
});

const HOST = "https://api.arouter.ai";
const api = (credential = MANAGEMENT_KEY) =>
  nock(HOST, { reqheaders: { authorization: `Bearer ${credential}`, accept: "application/json" } });
const calm = { clock: { now: Date.now, sleep: async () => {} } };
const fresh = () => arouter(MANAGEMENT_KEY, {}, calm);
const provider = fresh();

describe("what is sent", () => {
  it("creates with every field of the documented example", async () => {
    const wire = api()
      .post("/api/v1/keys", {
        name: "production-backend",
        limit: 150,
        limit_reset: "monthly",
        expires_at: "2025-12-31T23:59:59Z",
        allowed_providers: ["openai", "anthropic"],
        allowed_models: ["gpt-5.4", "claude-sonnet-4.6"],
      })
      .reply(200, { data: documented, key: "lr_live_plaintext" });
    const { key, issued } = await provider.create("production-backend", {
      limit: 150,
      limitReset: "monthly",
      expiresAt: "2025-12-31T23:59:59Z",
      allowedProviders: ["openai", "anthropic"],
      allowedModels: ["gpt-5.4", "claude-sonnet-4.6"],
    });
    expect(key.reveal()).toBe("lr_live_plaintext");
    expect(issued).toEqual({
      hash: HASH,
      name: "production-backend",
      disabled: false,
      limit: 150,
      limitRemaining: 150,
      limitReset: "monthly",
      allowedProviders: ["openai", "anthropic"],
      allowedModels: ["gpt-5.4", "claude-sonnet-4.6"],
      usage: 0,
      createdAt: "2025-01-15T10:30:00Z",
      expiresAt: "2025-12-31T23:59:59Z",
      raw: documented,
    });
    wire.done();
  });

  it("leaves an empty restriction out of create, and lifts one with null", async () => {
    const wire = api()
      .post("/api/v1/keys", { name: "a" })
      .reply(200, { data: { hash: HASH }, key: "k" })
      .patch(`/api/v1/keys/${HASH}`, { allowed_models: null })
      .reply(200, { data: documented });
    await provider.create("a", { allowedProviders: [], allowedModels: [] });
    await provider.update(HASH, { allowedModels: [] });
    wire.done();
  });

  it("updates with the six fields that can be updated", async () => {
    const wire = api()
      .patch(`/api/v1/keys/${HASH}`, {
        name: "n",
        disabled: true,
        limit: null,
        limit_reset: null,
        allowed_providers: ["deepseek"],
        allowed_models: ["deepseek-v4"],
      })
      .reply(200, { data: documented });
    await provider.update(HASH, {
      name: "n",
      disabled: true,
      limit: null,
      limitReset: null,
      allowedProviders: ["deepseek"],
      allowedModels: ["deepseek-v4"],
    });
    wire.done();
  });

  it.each([{ includeByokInLimit: true }, { workspaceId: "w" }, { creatorUserId: "u" }])(
    "refuses the setting %j rather than dropping it in silence",
    async (settings) => {
      const [field = ""] = Object.keys(settings);
      const expected = { code: "rejected", message: expect.stringContaining(field) };
      await expect(provider.create("a", settings)).rejects.toMatchObject(expected);
    },
  );

  it("asks for pages by token where the answers give one, and by offset where not", async () => {
    const keys = (from: number, count: number) =>
      Array.from({ length: count }, (_, i) => ({ hash: `h${from + i}` }));
    const byToken = api()
      .get("/api/v1/keys?page_size=100&include_disabled=true")
      .reply(200, { data: keys(0, 3), next_page_token: "t/1" })
      .get("/api/v1/keys?page_size=100&include_disabled=true&page_token=t%2F1")
      .reply(200, { data: keys(3, 2), next_page_token: "" });
    expect(await provider.list()).toHaveLength(5);
    byToken.done();
    const byOffset = api()
      .get("/api/v1/keys?page_size=100&include_disabled=true")
      .reply(200, { data: keys(0, 100) })
      .get("/api/v1/keys?page_size=100&include_disabled=true&offset=90")
      .reply(200, { data: keys(90, 15) });
    expect(await provider.list()).toHaveLength(105);
    byOffset.done();
  });
});

describe("what is understood", () => {
  it("reads create answered flat", async () => {
    api().post("/api/v1/keys").reply(200, { key: "lr_live_plaintext", hash: HASH, name: "a" });
    const { key, issued } = await provider.create("a", { limit: 5 });
    expect(key.reveal()).toBe("lr_live_plaintext");
    expect(issued).toMatchObject({ hash: HASH, name: "a", limit: undefined });
    expect(JSON.stringify(issued)).not.toContain("plaintext");
  });

  it("reads limit_usd, usage as an object and restrictions of null", async () => {
    api()
      .get(`/api/v1/keys/${HASH}`)
      .reply(200, {
        data: {
          hash: HASH,
          limit_usd: 100,
          usage: { prompt_tokens: 1_500_000, completion_tokens: 450_000, cost: 12.5 },
          allowed_models: null,
          last_used_at: "2026-04-01T12:00:00Z",
        },
      });
    expect(await provider.get(HASH)).toMatchObject({
      limit: 100,
      usage: 12.5,
      allowedModels: [],
      allowedProviders: undefined,
      raw: { last_used_at: "2026-04-01T12:00:00Z" },
    });
  });

  it("shows a masked label, and no plaintext", async () => {
    const label = "lr_live_abcd...wxyz";
    const leaky = { ...documented, label, note: "was lr_live_0123456789abcdef..." };
    api().get(`/api/v1/keys/${HASH}`).reply(200, { data: leaky });
    const shown = await provider.get(HASH);
    expect(shown).toMatchObject({ label, raw: { label } });
    expect(JSON.stringify(shown)).not.toContain("0123456789abcdef");
  });

  it.each([
    ["204", 204, undefined],
    ["{deleted: true}", 200, { deleted: true }],
    ["{data: {deleted: true}}", 200, { data: { deleted: true } }],
  ])("takes a delete answered with %s for done", async (_, status, body) => {
    api().delete(`/api/v1/keys/${HASH}`).reply(status, body);
    expect(await provider.delete(HASH)).toBe("deleted");
  });

  it.each([
    ["an envelope with a type", { error: { message: "no", type: "not_found" } }],
    ["an envelope with a code as text", { error: { message: "no", code: "not_found" } }],
    ["an envelope with a code as a number", { error: { message: "no", code: 404 } }],
    ["an envelope with text", { error: "no" }],
    ["an envelope with a type only", { error: { type: "no" } }],
    ["a flat body with a code", { code: "not_found", message: "no" }],
    ["a flat body with a number", { code: 404, message: "no" }],
    ["a flat body with a type", { type: "not_found", message: "no" }],
  ])("takes %s for the API's own error", async (_, body) => {
    api().delete(`/api/v1/keys/${HASH}`).reply(404, body).post("/api/v1/keys").reply(400, body);
    expect(await provider.delete(HASH)).toBe("absent");
    const error = await failureOf(provider.create("a", {}));
    expect(error).toMatchObject({ code: "rejected", message: expect.stringContaining("“no”") });
  });

  it.each([
    ["a gateway's bare message", { message: "no Route matched with those values" }],
    ["a page", "<h1>Not here</h1>"],
  ])("takes %s for no error of the API's", async (_, body) => {
    api().delete(`/api/v1/keys/${HASH}`).reply(404, body);
    await expect(provider.delete(HASH)).rejects.toMatchObject({ code: "malformed" });
    nock(HOST).get("/api/v1/key").reply(401, body);
    await expect(provider.current(new Secret("k"))).rejects.toMatchObject({ code: "unauthorized" });
  });

  it("says what to do about 402", async () => {
    api()
      .post("/api/v1/keys")
      .reply(402, { error: { message: "Insufficient credits", type: "insufficient_credits" } });
    const error = await failureOf(provider.create("a", {}));
    expect(error).toMatchObject({
      code: "rejected",
      status: 402,
      hint: expect.stringContaining("no credits"),
    });
  });

  it.each([
    ["next_page_token", { next_page_token: "t" }],
    ["nextPageToken", { nextPageToken: "t" }],
    ["next_cursor", { meta: { next_cursor: "t" } }],
    ["page_token with has_more", { page_token: "t", has_more: true }],
    ["a number", { pagination: { next_page_token: 2 } }],
  ])("follows a token given as %s", async (_, more) => {
    api()
      .get(/keys/)
      .reply(200, { data: [{ hash: "a" }], ...more });
    api()
      .get(/page_token=[t2]$/)
      .reply(200, { data: [{ hash: "b" }], has_more: false, page_token: "t" });
    expect((await provider.list()).map(({ hash }) => hash)).toEqual(["a", "b"]);
  });

  it("ends as malformed where tokens lead round in a circle", async () => {
    let n = 0;
    api()
      .get(/keys/)
      .times(9)
      .reply(200, () => ({ data: [{ hash: `${n}` }], next_page_token: `${n++ % 3}` }));
    await expect(provider.list()).rejects.toMatchObject({ code: "malformed" });
  });

  it("takes no list with a nameless entry, and no other key's answer, for the truth", async () => {
    api()
      .get(/keys\?/)
      .times(4)
      .reply(200, { data: [documented, { name: "no hash" }] });
    await expect(fresh().list()).rejects.toMatchObject({ code: "malformed" });
    api()
      .get(/keys\//)
      .times(4)
      .reply(200, { data: { ...documented, hash: "another" } });
    await expect(fresh().get(HASH)).rejects.toMatchObject({ code: "malformed" });
  });
});

describe("a key by its hash, where that route may be missing", () => {
  const noRoute = [
    ["404 page not found", 404, "404 page not found"],
    ["405", 405, ""],
    ["501", 501, ""],
  ] as const;

  it.each(noRoute)(
    "is looked for in the list after %s, and from then on at once",
    async (_, status, body) => {
      const own = fresh();
      const route = api().get(`/api/v1/keys/${HASH}`).reply(status, body);
      api()
        .get(/keys\?/)
        .times(2)
        .reply(200, { data: [documented] });
      expect(await own.get(HASH)).toMatchObject({ hash: HASH });
      expect(await own.get("another")).toBeUndefined();
      route.done();
    },
  );

  it.each([...noRoute, ["the API's own 404", 404, { error: { message: "no", type: "not_found" } }] as const])(
    "is not said to be absent after %s while the list cannot be read",
    async (_, status, body) => {
      const own = fresh();
      const list = api()
        .get(`/api/v1/keys/${HASH}`)
        .times(3)
        .reply(status, body)
        .get(/keys\?/);
      list.times(3).reply(403, { error: { message: "no", type: "permission_error" } });
      await expect(own.get(HASH)).rejects.toMatchObject({ code: "forbidden" });
      nock.cleanAll();
      api()
        .get(`/api/v1/keys/${HASH}`)
        .reply(status, body)
        .get(/keys\?/)
        .reply(404, "<h1>Elsewhere</h1>");
      await expect(own.get(HASH)).rejects.toMatchObject({ code: "malformed" });
    },
  );

  it("is asked for by its route again after a 404 that was about the key", async () => {
    const own = fresh();
    const gone = { error: { message: "API key not found", type: "not_found" } };
    api()
      .get("/api/v1/keys/gone")
      .reply(404, gone)
      .get(/keys\?/)
      .reply(200, { data: [documented] });
    expect(await own.get("gone")).toBeUndefined();
    const route = api().get(`/api/v1/keys/${HASH}`).reply(200, { data: documented });
    expect(await own.get(HASH)).toMatchObject({ hash: HASH });
    route.done();
  });
});

describe("the key in use", () => {
  const key = new Secret("lr_live_own");
  const at = (path: string) => nock(HOST, { reqheaders: { authorization: "Bearer lr_live_own" } }).get(path);

  it("is asked about at /key, and where that is not, at the host's /v1/key from then on", async () => {
    const own = fresh();
    at("/api/v1/key").reply(404, "404 page not found");
    at("/v1/key")
      .times(2)
      .reply(200, { label: "own", usage: { cost: 1 }, limit_usd: 5, key_type: "regular" });
    const expected = { accepted: true, key: { label: "own", usage: 1, limit: 5, isManagementKey: false } };
    expect(await own.current(key)).toMatchObject(expected);
    expect(await own.current(key)).toMatchObject(expected);
    expect(nock.isDone()).toBe(true);
  });

  it("is refused where either says so", async () => {
    const refused = { error: { message: "Invalid API key", type: "authentication_error" } };
    at("/api/v1/key").reply(401, refused);
    expect(await fresh().current(key)).toEqual({ accepted: false });
    at("/api/v1/key").reply(404, "");
    at("/v1/key").reply(401, refused);
    expect(await fresh().current(key)).toEqual({ accepted: false });
  });

  it("is not judged by an address that has neither, or by an answer that is not about a key", async () => {
    at("/api/v1/key").reply(404, "");
    at("/v1/key").reply(404, "");
    await expect(fresh().current(key)).rejects.toMatchObject({
      code: "malformed",
      hint: expect.stringContaining("baseUrl"),
    });
    at("/api/v1/key").times(4).reply(200, { ok: true });
    await expect(fresh().current(key)).rejects.toMatchObject({ code: "malformed" });
  });
});

describe("a management key of the other provider", () => {
  const refusal = { error: { message: "Invalid API key", code: 401 } };

  it("is recognised when ARouter refuses it", async () => {
    nock(HOST).get(/keys/).reply(401, refusal);
    const { code, hint } = await failureOf(arouter("sk-or-v1-0123456789").list());
    expect(code).toBe("unauthorized");
    expect(hint).toContain("environment variable AROUTER_MANAGEMENT_KEY holds a key of OpenRouter");
    expect(hint).toContain("lr_mgmt_");
    expect(hint).not.toContain("0123456789");
  });

  it("is recognised when OpenRouter refuses it", async () => {
    nock("https://openrouter.ai").get(/keys/).reply(401, refusal);
    const { code, hint } = await failureOf(openRouter(MANAGEMENT_KEY).list());
    expect(code).toBe("unauthorized");
    expect(hint).toContain("environment variable OPENROUTER_MANAGEMENT_KEY holds a key of ARouter");
  });

  it.each(["lr_admin_x", "lr_mgmt_x", "anything"])("is not guessed from the prefix of %s", async (own) => {
    nock(HOST).get(/keys/).reply(200, { data: [] });
    expect(await arouter(own).list()).toEqual([]);
    nock(HOST).get(/keys/).reply(401, refusal);
    expect((await failureOf(arouter(own).list())).hint).toMatch(/^the management key was refused/);
  });
});
