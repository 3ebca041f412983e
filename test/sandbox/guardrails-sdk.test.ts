import { OpenRouter } from "@openrouter/sdk";
import { afterEach, beforeEach, expect, it } from "vitest";
import { systemClock } from "../../src/lib/clock.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { openRouterApi } from "../../src/sandbox/openrouter-api.ts";
import { ProviderModel } from "../../src/sandbox/provider-model.ts";
import { type Served, serve } from "../../src/sandbox/serve.ts";

let model: ProviderModel;
let served: Served;
let sdk: OpenRouter;
beforeEach(async () => {
  model = new ProviderModel({ clock: systemClock, random: systemRandom });
  served = await serve(openRouterApi(model));
  sdk = new OpenRouter({
    apiKey: model.addManagementKey().reveal(),
    serverURL: `${served.url}/api/v1`,
    retryConfig: { strategy: "none" },
  });
});
afterEach(() => served.close());

async function all<T>(pages: Promise<AsyncIterable<{ result: { data: T[] } }>>): Promise<T[]> {
  const found: T[] = [];
  for await (const { result } of await pages) found.push(...result.data);
  return found;
}

it("serves the official SDK's guardrails", async () => {
  const { guardrails } = sdk;
  const { data } = await guardrails.create({
    createGuardrailRequest: { name: "Spend", limitUsd: 50, resetInterval: "monthly", allowedModels: ["a/b"] },
  });
  expect(data).toMatchObject({ name: "Spend", limitUsd: 50, resetInterval: "monthly", updatedAt: null });
  expect((await guardrails.get({ id: data.id })).data).toEqual(data);
  expect(await all(guardrails.list())).toEqual([data]);
  const changed = await guardrails.update({ id: data.id, updateGuardrailRequest: { limitUsd: 75 } });
  expect(changed.data).toMatchObject({ name: "Spend", limitUsd: 75, allowedModels: ["a/b"] });
  expect(await guardrails.delete({ id: data.id })).toEqual({ deleted: true });
  await expect(guardrails.get({ id: data.id })).rejects.toMatchObject({ statusCode: 404 });
});

it("lets the official SDK put guardrails on keys, one on each at most", async () => {
  const { guardrails } = sdk;
  const make = async (name: string) =>
    (await guardrails.create({ createGuardrailRequest: { name } })).data.id;
  const [first, second] = [await make("first"), await make("second")];
  const hashes = Array.from({ length: 70 }, (_, i) => model.create({ name: `key ${i}` }).issued.hash);
  const assign = (id: string, keyHashes: string[]) =>
    guardrails.bulkAssignKeys({ id, bulkAssignKeysRequest: { keyHashes } });

  expect(await assign(first, hashes)).toEqual({ assignedCount: 70 });
  expect(await all(guardrails.listKeyAssignments())).toHaveLength(70);
  await assign(second, hashes.slice(0, 1));
  const onSecond = await all(guardrails.listGuardrailKeyAssignments({ id: second }));
  expect(onSecond).toMatchObject([{ guardrailId: second, keyHash: hashes[0], keyName: "key 0" }]);
  expect(await all(guardrails.listGuardrailKeyAssignments({ id: first }))).toHaveLength(69);

  const off = { id: first, bulkUnassignKeysRequest: { keyHashes: hashes.slice(0, 2) } };
  expect(await guardrails.bulkUnassignKeys(off)).toEqual({ unassignedCount: 1 });
  await expect(assign(first, ["unknown"])).rejects.toMatchObject({ statusCode: 400 });
  model.delete(hashes[0] ?? "");
  expect(await all(guardrails.listKeyAssignments())).toHaveLength(68);
});

it("shows the official SDK BYOK credentials and observability destinations", async () => {
  const common = { account: "default", workspaceId: model.defaultWorkspace() };
  model.bound.addRestricted({ ...common, kind: "byok", name: "team", hashes: ["a"] });
  model.bound.addRestricted({ ...common, kind: "destination", name: "traces", hashes: null });
  expect(await all(sdk.byok.list())).toMatchObject([{ name: "team", allowedApiKeyHashes: ["a"] }]);
  expect(await all(sdk.observability.list())).toMatchObject([{ name: "traces", apiKeyHashes: null }]);
});
