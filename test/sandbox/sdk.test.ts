import { OpenRouter } from "@openrouter/sdk";
import { afterEach, beforeEach, expect, it } from "vitest";
import { systemClock } from "../../src/lib/clock.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { openRouterApi } from "../../src/sandbox/openrouter-api.ts";
import { ProviderModel } from "../../src/sandbox/provider-model.ts";
import { type Served, serve } from "../../src/sandbox/serve.ts";

let model: ProviderModel;
let served: Served;
beforeEach(async () => {
  model = new ProviderModel({ clock: systemClock, random: systemRandom });
  served = await serve(openRouterApi(model));
});
afterEach(() => served.close());

function sdk(apiKey: string): OpenRouter {
  return new OpenRouter({ apiKey, serverURL: `${served.url}/api/v1`, retryConfig: { strategy: "none" } });
}

it("serves the official SDK's whole apiKeys surface", async () => {
  const { apiKeys } = sdk(model.addManagementKey().reveal());
  const expiresAt = new Date("2037-12-31T23:59:59Z");
  const { data, key } = await apiKeys.create({
    requestBody: {
      name: "Customer Instance Key",
      limit: 50,
      limitReset: "monthly",
      includeByokInLimit: true,
      expiresAt,
    },
  });
  expect(data).toMatchObject({
    name: "Customer Instance Key",
    limit: 50,
    limitRemaining: 50,
    limitReset: "monthly",
    expiresAt,
  });

  expect((await apiKeys.list({ offset: 0, includeDisabled: true })).data).toEqual([data]);
  expect((await apiKeys.get({ hash: data.hash })).data).toEqual(data);
  const changed = await apiKeys.update({
    hash: data.hash,
    requestBody: {
      name: "Renamed",
      disabled: false,
      limit: 75,
      limitReset: "daily",
      includeByokInLimit: false,
    },
  });
  expect(changed.data).toMatchObject({
    name: "Renamed",
    limit: 75,
    limitReset: "daily",
    includeByokInLimit: false,
  });

  const own = await sdk(key).apiKeys.getCurrentKeyMetadata();
  expect(own.data).toMatchObject({ label: data.label, limit: 75, isManagementKey: false });

  expect(await apiKeys.delete({ hash: data.hash })).toEqual({ deleted: true });
  expect((await apiKeys.list()).data).toEqual([]);
});

it("shows the official SDK a management key as one", async () => {
  const { data } = await sdk(model.addManagementKey().reveal()).apiKeys.getCurrentKeyMetadata();
  expect(data.isManagementKey).toBe(true);
});

it("gives the official SDK errors that it knows", async () => {
  const { apiKeys } = sdk(model.addManagementKey().reveal());
  await expect(apiKeys.get({ hash: "0".repeat(64) })).rejects.toMatchObject({
    name: "NotFoundResponseError",
    statusCode: 404,
  });
  await expect(sdk("sk-or-v1-nobody").apiKeys.list()).rejects.toMatchObject({
    name: "UnauthorizedResponseError",
    statusCode: 401,
  });
  const { key } = model.create({ name: "ordinary" });
  await expect(sdk(key.reveal()).apiKeys.create({ requestBody: { name: "x" } })).rejects.toMatchObject({
    name: "ForbiddenResponseError",
    statusCode: 403,
  });
  await expect(apiKeys.create({ requestBody: { name: "" } })).rejects.toMatchObject({
    name: "BadRequestResponseError",
  });
});

it("lets the official SDK call a model with an issued key", async () => {
  const { key, issued } = model.create({ name: "caller" });
  const answer = await sdk(key.reveal()).chat.send({
    chatRequest: { model: "openai/gpt-5.4", messages: [{ role: "user", content: "hello" }] },
  } as never);
  expect(answer).toMatchObject({ model: "openai/gpt-5.4" });
  expect(model.key(issued.hash)?.usage.total).toBeGreaterThan(0);
});
