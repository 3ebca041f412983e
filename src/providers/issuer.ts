import type { Secret } from "../lib/secret.ts";
import type { SecretSource } from "../lib/secret-source.ts";

/** Whose key a plaintext looks like by its prefix. Good for a hint only: nothing is refused for its prefix. */
export function issuerOf(key: Secret | undefined): "OpenRouter" | "ARouter" | undefined {
  const plaintext = key?.reveal() ?? "";
  if (plaintext.startsWith("sk-or-")) return "OpenRouter";
  return plaintext.startsWith("lr_") ? "ARouter" : undefined;
}

/** Where a person finds a secret: `environment variable NAME`, `file PATH`. */
export function placeOf(source: SecretSource): string {
  return "env" in source ? `environment variable ${source.env}` : `file ${source.file}`;
}
