import { dirname, isAbsolute, relative, resolve, sep } from "node:path";
import { packageFile } from "../../package.ts";
import type { Surroundings } from "./compose.ts";
import type { ProviderType } from "./draft.ts";

const SCHEMA = packageFile("config/rotation.schema.json");

/** Variables that lead elsewhere, as `rotate sandbox` sets them. */
const BASE_URLS = {
  openrouter: { variable: "OPENROUTER_BASE_URL", fallback: "https://openrouter.ai/api/v1" },
  arouter: { variable: "AROUTER_BASE_URL", fallback: "https://api.arouter.ai/api/v1" },
} as const;

/** What a policy at `file` names of the place where it lies: the schema, and the provider's address where the environment has one. */
export function surroundingsOf(file: string, provider: ProviderType, env: NodeJS.ProcessEnv): Surroundings {
  const baseUrl = BASE_URLS[provider];
  return {
    schema: schemaAt(file),
    baseUrlFrom: env[baseUrl.variable] ? baseUrl : undefined,
  };
}

/** The package's JSON Schema as a policy at `file` names it; undefined where it does not last. */
export function schemaAt(file: string): string | undefined {
  return schemaFrom(dirname(resolve(file)), SCHEMA);
}

/** From the policy's folder where the two have a folder in common; undefined where npx has it, which does not last. */
export function schemaFrom(folder: string, schema: string): string | undefined {
  if (schema.includes(`${sep}_npx${sep}`)) return undefined;
  const path = relative(folder, schema);
  const steps = path.split(sep);
  const up = steps.filter((step) => step === "..").length;
  const apart = isAbsolute(path) || up >= folder.split(sep).filter(Boolean).length;
  if (apart) return schema;
  return up === 0 ? `./${steps.join("/")}` : steps.join("/");
}
