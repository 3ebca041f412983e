import { beforeEach, describe, expect, it } from "vitest";
import { systemRandom } from "../../src/lib/random.ts";
import type { Provider } from "../../src/providers/provider.ts";
import { Faults } from "../../src/sandbox/faults.ts";
import { handlerSend } from "../../src/sandbox/handler-send.ts";
import type { Guardrail } from "../../src/sandbox/hash-bound.ts";
import { openRouterApi } from "../../src/sandbox/openrouter-api.ts";
import { ProviderModel } from "../../src/sandbox/provider-model.ts";
import { failureOf, openRouter } from "./open-router.ts";
import { virtualClock } from "./virtual-clock.ts";

let model: ProviderModel;
let faults: Faults;
let provider: Provider;
let hash: string;
beforeEach(() => {
  const clock = virtualClock();
  model = new ProviderModel({ clock, random: systemRandom });
  faults = new Faults();
  const send = handlerSend(openRouterApi(model, faults), clock);
  const managementKey = model.addManagementKey().reveal();
  provider = openRouter(managementKey, { baseUrl: "http://sandbox/api/v1" }, { send, clock });
  hash = model.create({ name: "key" }).issued.hash;
});

const addGuardrail = (): Guardrail =>
  model.bound.addGuardrail({ name: "spend" }, "default", model.defaultWorkspace());
const read = async (of: string) => provider.attachments?.read(of);
const put = async (on: string, id: string) => provider.attachments?.put(on, [{ kind: "guardrail", id }]);

describe("guardrails", () => {
  it("are found on a key among many, on any page", async () => {
    const common = addGuardrail();
    const own = addGuardrail();
    for (let i = 0; i < 230; i++) model.bound.assign(common, model.create({ name: `${i}` }).issued.hash);
    model.bound.assign(own, hash);
    expect(await read(hash)).toEqual([{ kind: "guardrail", id: own.id }]);
  });

  it("replace the one that a key had", async () => {
    model.bound.assign(addGuardrail(), hash);
    const { id } = addGuardrail();
    await put(hash, id);
    expect(await read(hash)).toEqual([{ kind: "guardrail", id }]);
  });

  it.each(["403", "404", "html-404", "html-403"])(
    "are unknown, and not none, where reading them is answered with %s",
    async (fault) => {
      faults.add(`guardrails:${fault}:all`);
      const error = await failureOf(read(hash));
      expect(error).toMatchObject({ code: "forbidden", hint: expect.stringContaining("guardrails") });
      expect(model.requests).toHaveLength(1);
    },
  );

  it.each([
    ["500", "unclear"],
    ["wrong-body", "malformed"],
    ["401", "unauthorized"],
  ])("are unknown, and not none, after %s without end: %s", async (fault, code) => {
    faults.add(`guardrails:${fault}:all`);
    await expect(read(hash)).rejects.toMatchObject({ code });
  });

  it.each(["lost-reply", "500", "429-retry-after-2", "timeout"])(
    "are put on in spite of %s",
    async (fault) => {
      const { id } = addGuardrail();
      faults.add(`guardrails:${fault}`);
      await put(hash, id);
      expect(await read(hash)).toEqual([{ kind: "guardrail", id }]);
    },
  );

  it("that are no more are answered as absent, and a missing right as forbidden", async () => {
    const guardrail = addGuardrail();
    faults.add("guardrails:403");
    await expect(put(hash, guardrail.id)).rejects.toMatchObject({ code: "forbidden" });
    model.bound.deleteGuardrail(guardrail);
    await expect(put(hash, guardrail.id)).rejects.toMatchObject({ code: "absent" });
  });
});

describe("what is not carried over", () => {
  const restrict = (
    kind: "byok" | "destination",
    name: string,
    hashes: string[] | null,
    workspaceId: string | null,
  ) => model.bound.addRestricted({ kind, name, hashes, account: "default", workspaceId });

  it("is nothing where no list names the key", async () => {
    restrict("byok", "open", null, model.defaultWorkspace());
    restrict("destination", "others", ["another"], model.defaultWorkspace());
    expect(await provider.uncarried?.(hash)).toEqual([]);
  });

  it("is named, in the key's workspace and in the whole account", async () => {
    model.defaultWorkspace();
    const workspaceId = model.addWorkspace();
    hash = model.create({ name: "elsewhere", workspaceId }).issued.hash;
    restrict("byok", "whole account", [hash], null);
    restrict("byok", "workspace", [hash, "another"], workspaceId);
    restrict("destination", "traces", [hash], workspaceId);
    const said = (await provider.uncarried?.(hash)) ?? [];
    expect(said).toHaveLength(3);
    expect(said[0]).toMatch(/^BYOK credential "whole account" \(openai, .+\) admits this key by its hash/);
    expect(said[1]).toContain('"workspace"');
    expect(said[2]).toMatch(/^observability destination "traces" \(webhook, /);
  });

  it("is said to be unknown where it may not be looked at", async () => {
    faults.add("byok:403:all");
    restrict("destination", "traces", [hash], model.defaultWorkspace());
    const said = (await provider.uncarried?.(hash)) ?? [];
    expect(said).toEqual([
      expect.stringContaining("unknown: cannot list BYOK credentials at openrouter: HTTP 403"),
      expect.stringContaining('destination "traces"'),
    ]);
  });

  it("throws in bad weather", async () => {
    faults.add("destinations:500:all");
    await expect(provider.uncarried?.(hash)).rejects.toMatchObject({ code: "unclear" });
  });
});
