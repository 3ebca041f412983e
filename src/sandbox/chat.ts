import { randomId } from "../lib/random.ts";
import type { Reply } from "./api-frame.ts";
import type { ModelKey } from "./model-types.ts";
import type { ProviderModel } from "./provider-model.ts";

/** A model call, counted on the key; refused when the key may not call that model, or has nothing left. */
export function chat(
  model: ProviderModel,
  key: ModelKey,
  body: string,
  refuse: (status: number, message: string) => Reply,
): Reply {
  const asked = modelOf(body);
  if (!asked) return refuse(400, "model: required");
  if (!mayCall(key, asked)) return refuse(403, `This key may not call ${asked}`);
  const cost = model.knobs.costPerRequest;
  const outcome = model.spend(key.hash, cost);
  if (outcome === "no-credits") return refuse(402, "Insufficient credits");
  if (outcome === "over-limit") return refuse(403, `Key limit exceeded (${key.limitReset ?? "total"} limit)`);
  return {
    status: 200,
    json: {
      id: `gen-${randomId(model.random)}`,
      object: "chat.completion",
      created: Math.floor(model.clock.now() / 1000),
      model: asked,
      system_fingerprint: "fp_sandbox",
      choices: [
        {
          index: 0,
          message: { role: "assistant", content: "Hello from the sandbox." },
          finish_reason: "stop",
        },
      ],
      usage: { prompt_tokens: 8, completion_tokens: 5, total_tokens: 13, cost },
    },
  };
}

/** `provider/model`, the provider being optional in a restriction to models. */
function mayCall({ allowedProviders, allowedModels }: ModelKey, asked: string): boolean {
  const [provider = "", model = asked] = asked.includes("/") ? asked.split("/") : [];
  if (allowedModels && !allowedModels.some((allowed) => allowed === asked || allowed === model)) return false;
  return !allowedProviders || provider === "" || allowedProviders.includes(provider);
}

function modelOf(body: string): string | undefined {
  try {
    const { model } = JSON.parse(body);
    return typeof model === "string" && model ? model : undefined;
  } catch {
    return undefined;
  }
}
