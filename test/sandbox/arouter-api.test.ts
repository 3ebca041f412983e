import { beforeEach, expect, it } from "vitest";
import { systemClock } from "../../src/lib/clock.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { arouterApi, arouterModel } from "../../src/sandbox/arouter-api.ts";
import { handlerSend } from "../../src/sandbox/handler-send.ts";
import type { ProviderModel } from "../../src/sandbox/provider-model.ts";

let model: ProviderModel;
beforeEach(() => {
  model = arouterModel({ clock: systemClock, random: systemRandom });
});

async function call(credential: string, method: string, path: string, body?: object) {
  const answer = await handlerSend(
    arouterApi(model),
    systemClock,
  )({
    method,
    url: `http://sandbox${path}`,
    headers: { authorization: `Bearer ${credential}` },
    body: body && JSON.stringify(body),
    timeoutMs: 5000,
    maxBytes: 100_000,
  });
  return { status: answer.status, json: JSON.parse(answer.body) };
}

it("answers the documented example of create in the documented form", async () => {
  const managementKey = model.addManagementKey().reveal();
  expect(managementKey).toMatch(/^lr_mgmt_/);
  const settings = {
    name: "production-backend",
    allowed_providers: ["openai", "anthropic"],
    allowed_models: ["gpt-5.4", "claude-sonnet-4.6"],
    limit: 150,
    limit_reset: "monthly",
    expires_at: "2045-12-31T23:59:59Z",
  };
  const { status, json } = await call(managementKey, "POST", "/api/v1/keys", settings);
  expect(status).toBe(200);
  expect(json).toMatchObject({
    data: { ...settings, key_type: "regular", disabled: false, limit_remaining: 150, usage: 0 },
    key: expect.stringMatching(/^lr_live_/),
  });
});

it.each([
  ["openai/gpt-5.4", 200],
  ["gpt-5.4", 200],
  ["openai/gpt-4", 403],
  ["deepseek/gpt-5.4", 403],
])("answers a restricted key that calls %s with %i", async (asked, expected) => {
  const { key } = model.create({ name: "k", allowedProviders: ["openai"], allowedModels: ["gpt-5.4"] });
  const { status } = await call(key.reveal(), "POST", "/v1/chat/completions", { model: asked });
  expect(status).toBe(expected);
});

it("refuses a field that ARouter doesn't have, with an error of its own form", async () => {
  const managementKey = model.addManagementKey().reveal();
  const body = { name: "k", workspace_id: "w" };
  expect(await call(managementKey, "POST", "/api/v1/keys", body)).toEqual({
    status: 400,
    json: { error: { message: "workspace_id: is not a field of this call", type: "invalid_request_error" } },
  });
});

it("answers 402 when the account's credits are used up", async () => {
  model.setCredits(0);
  const { key } = model.create({ name: "k" });
  expect(await call(key.reveal(), "POST", "/v1/chat/completions", { model: "m" })).toMatchObject({
    status: 402,
    json: { error: { type: "insufficient_credits" } },
  });
});
