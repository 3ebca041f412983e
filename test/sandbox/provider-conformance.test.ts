import { type Clock, systemClock } from "../../src/lib/clock.ts";
import type { HttpSend } from "../../src/lib/http.ts";
import { fetchSend } from "../../src/lib/http-fetch.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { handlerSend } from "../../src/sandbox/handler-send.ts";
import { openRouterApi } from "../../src/sandbox/openrouter-api.ts";
import { type ModelOptions, ProviderModel } from "../../src/sandbox/provider-model.ts";
import { serve } from "../../src/sandbox/serve.ts";
import { describeProvider, type ProviderUnderTest } from "../conformance/provider.ts";
import { openRouter } from "../providers/open-router.ts";
import { virtualClock } from "../providers/virtual-clock.ts";

function subject(
  model: ProviderModel,
  baseUrl: string,
  parts: { send: HttpSend; clock: Clock },
  close: () => Promise<void>,
): ProviderUnderTest {
  const withCredential = (credential: string) => openRouter(credential, { baseUrl }, parts);
  return {
    provider: withCredential(model.addManagementKey().reveal()),
    withCredential,
    addKeys: (count) =>
      Array.from({ length: count }, (_, i) => model.create({ name: `key ${i}` }).issued.hash),
    addWorkspace: () => {
      model.defaultWorkspace();
      return model.addWorkspace();
    },
    attach(hash) {
      const guardrail = model.bound.addGuardrail({ name: "spend" }, "default", model.defaultWorkspace());
      model.bound.assign(guardrail, hash);
      return { kind: "guardrail", id: guardrail.id };
    },
    close,
  };
}

async function overLoopback(options: Partial<ModelOptions> = {}): Promise<ProviderUnderTest> {
  const model = new ProviderModel({ clock: systemClock, random: systemRandom, ...options });
  const served = await serve(openRouterApi(model));
  return subject(model, `${served.url}/api/v1`, { send: fetchSend(), clock: systemClock }, served.close);
}

async function inProcess(): Promise<ProviderUnderTest> {
  const clock = virtualClock(Date.now());
  const model = new ProviderModel({ clock, random: systemRandom });
  const send = handlerSend(openRouterApi(model), clock);
  return subject(model, "http://sandbox/api/v1", { send, clock }, async () => {});
}

const capabilities = {
  workspaces: true,
  byok: true,
  restrictions: false,
  attachments: true,
  createShowsSettings: true,
  showsExpiry: true,
};
describeProvider("OpenRouter's client at the sandbox over loopback", overLoopback, capabilities);
describeProvider("OpenRouter's client at the sandbox in process", inProcess, capabilities);
describeProvider(
  "OpenRouter's client at the sandbox in its older shape",
  () => overLoopback({ shape: "seed" }),
  {
    ...capabilities,
    showsExpiry: false,
  },
);
describeProvider(
  "OpenRouter's client at a sandbox that answers 401 to ordinary keys",
  () => overLoopback({ ordinaryKeyStatus: 401 }),
  capabilities,
);
