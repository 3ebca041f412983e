import type { KeyChange, KeyFields } from "./model-types.ts";

/** Reads the bodies of create and update as strictly as the API documents them; a string says what is wrong. */

export type Check = (value: unknown) => string | undefined;

export const text: Check = (value) =>
  typeof value === "string" && value ? undefined : "must be a string of at least 1 character";
export const flag: Check = (value) => (typeof value === "boolean" ? undefined : "must be a boolean");
export const limit: Check = (value) =>
  value === null || (typeof value === "number" && value >= 0)
    ? undefined
    : "must be a number from 0 up, or null";
export const reset: Check = (value) =>
  value === null || ["daily", "weekly", "monthly"].includes(value as string)
    ? undefined
    : "must be daily, weekly, monthly or null";
export const orNull =
  (check: Check): Check =>
  (value) =>
    value === null ? undefined : check(value);
export const utc: Check = (value) =>
  typeof value === "string" &&
  /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)$/.test(value) &&
  Date.parse(value)
    ? undefined
    : "must be an ISO 8601 instant in UTC, with seconds";
const external: Check = (value) =>
  typeof value === "object" && value !== null && text((value as { user?: unknown }).user) === undefined
    ? undefined
    : "must be an object with a user";

const CREATE: Record<string, Check> = {
  name: text,
  limit,
  limit_reset: reset,
  include_byok_in_limit: flag,
  expires_at: orNull(utc),
  workspace_id: text,
  creator_user_id: orNull(text),
  external,
};
const UPDATE: Record<string, Check> = {
  name: text,
  disabled: flag,
  limit,
  limit_reset: reset,
  include_byok_in_limit: flag,
};

export type Wire = Record<string, never>;

export function readCreate(body: string, now: number): (Partial<KeyFields> & { name: string }) | string {
  const input = check(body, CREATE);
  if (typeof input === "string") return input;
  if (input.name === undefined) return "name: required";
  if (input.expires_at && Date.parse(input.expires_at) <= now) return "expires_at: must be in the future";
  const { user } = (input.external ?? {}) as { user?: string };
  return {
    ...sharedFields(input),
    name: input.name,
    expiresAt: input.expires_at,
    workspaceId: input.workspace_id,
    creatorUserId: input.creator_user_id,
    externalUser: user ?? null,
  };
}

export function readUpdate(body: string): KeyChange | string {
  const input = check(body, UPDATE);
  if (typeof input === "string") return input;
  const change = { ...sharedFields(input), name: input.name, disabled: input.disabled };
  return Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
}

function sharedFields(input: Wire): Pick<Partial<KeyFields>, "limit" | "limitReset" | "includeByokInLimit"> {
  return {
    limit: input.limit,
    limitReset: input.limit_reset,
    includeByokInLimit: input.include_byok_in_limit,
  };
}

/** A body that is an object of these fields and no others; a string says what is wrong. */
export function check(body: string, fields: Record<string, Check>): Wire | string {
  let input: unknown;
  try {
    input = JSON.parse(body);
  } catch {
    return "the body is not JSON";
  }
  if (typeof input !== "object" || input === null || Array.isArray(input))
    return "the body is not a JSON object";
  for (const [name, value] of Object.entries(input)) {
    const wrong = Object.hasOwn(fields, name) ? fields[name]?.(value) : "is not a field of this call";
    if (wrong) return `${name}: ${wrong}`;
  }
  return input as Wire;
}
