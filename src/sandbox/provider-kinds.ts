import { arouterApi, arouterModel } from "./arouter-api.ts";
import { parseDialect } from "./arouter-dialect.ts";
import type { Handler } from "./fault-answers.ts";
import type { Faults } from "./faults.ts";
import { openRouterApi } from "./openrouter-api.ts";
import { type ModelOptions, ProviderModel } from "./provider-model.ts";

/** What sets the providers that a sandbox can be apart from one another. */
interface ProviderKind {
  model(options: ModelOptions): ProviderModel;
  /** Throws RotationError `usage` for a dialect that is none. */
  api(model: ProviderModel, faults: Faults, dialect: readonly string[]): Handler;
  /** What the names of its variables, and of the field that holds the key, begin with. */
  prefix: string;
  /** Where consumers call models: the path up to and without `/chat/completions`. */
  callsAt: string;
  /** A model that consumers call. */
  callable: string;
}

export type ProviderType = "openrouter" | "arouter";

export const PROVIDER_KINDS: Readonly<Record<ProviderType, ProviderKind>> = {
  openrouter: {
    model: (options) => new ProviderModel(options),
    api: openRouterApi,
    prefix: "OPENROUTER",
    callsAt: "/api/v1",
    callable: "openrouter/auto",
  },
  arouter: {
    model: arouterModel,
    api: (model, faults, dialect) => arouterApi(model, faults, parseDialect(dialect)),
    prefix: "AROUTER",
    callsAt: "/v1",
    callable: "openai/gpt-5.4",
  },
};
