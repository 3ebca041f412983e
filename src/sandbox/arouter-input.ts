import { type Check, check, flag, limit, orNull, reset, text, utc, type Wire } from "./key-input.ts";
import type { KeyChange, KeyFields } from "./model-types.ts";

/** Reads the bodies of create and update as strictly as the key-management guide documents them; a string says what is wrong. */

/** An empty list, of which nothing is documented, allows nothing: a key of it is of no use. */
const restriction: Check = (value) =>
  value === null || (Array.isArray(value) && value.every((entry) => text(entry) === undefined))
    ? undefined
    : "must be a list of names, or null";

const SHARED = {
  name: text,
  limit,
  limit_reset: reset,
  allowed_providers: restriction,
  allowed_models: restriction,
};

export function readARouterCreate(
  body: string,
  now: number,
): (Partial<KeyFields> & { name: string }) | string {
  const input = check(body, { ...SHARED, expires_at: orNull(utc) });
  if (typeof input === "string") return input;
  if (input.name === undefined) return "name: required";
  if (input.expires_at && Date.parse(input.expires_at) <= now) return "expires_at: must be in the future";
  return { ...shared(input), name: input.name, expiresAt: input.expires_at };
}

export function readARouterUpdate(body: string): KeyChange | string {
  const input = check(body, { ...SHARED, disabled: flag });
  if (typeof input === "string") return input;
  const change = { ...shared(input), name: input.name, disabled: input.disabled };
  return Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
}

function shared(input: Wire) {
  return {
    limit: input.limit,
    limitReset: input.limit_reset,
    allowedProviders: input.allowed_providers,
    allowedModels: input.allowed_models,
  };
}
