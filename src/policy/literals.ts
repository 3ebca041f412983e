import { redact as redactCredentials } from "../lib/redact.ts";
import type { Path } from "./tree.ts";

/** Keys of the routers and of the model makers behind them, and addresses that are secrets themselves. */
const LOOKS_SECRET =
  /\b(?:sk-(?:or|ant|proj)-|lr_(?:mgmt|live|admin)_)[A-Za-z0-9_-]{3,}|https:\/\/hooks\.slack\.com\/[^\s"']+|https:\/\/(?:\w+\.)?discord(?:app)?\.com\/api\/webhooks\/[^\s"']+/g;

/** `user:password@` in a URL. */
const USER_INFO = /(?<=:\/\/)[^\s/@?#"']+@/g;

/** What follows a field that holds nothing but secrets, for lines that could not be parsed. */
const AFTER_SECRET_FIELD =
  /\b(managementKey|bearer|password|token)(["']?\s*:\s+)(?![\s{&*|>]|\[secret\])[^\n]+/g;

export function looksSecret(text: string): boolean {
  return text.search(LOOKS_SECRET) >= 0;
}

export function hasUserInfo(text: string): boolean {
  return text.search(USER_INFO) >= 0;
}

/** The text with everything that looks like a secret replaced by `[secret]`. */
export function redact(text: string): string {
  return redactCredentials(text)
    .replace(LOOKS_SECRET, "[secret]")
    .replace(USER_INFO, "[secret]@")
    .replace(AFTER_SECRET_FIELD, "$1$2[secret]");
}

/** Fields that take a secret source and nothing else. */
const SECRET_FIELDS = new Set(["managementKey", "bearer", "password"]);

/** Headers whose value authenticates. */
const SECRET_HEADERS = new Set([
  "authorization",
  "proxy-authorization",
  "cookie",
  "x-api-key",
  "api-key",
  "x-auth-token",
]);

/** Whether a string at this path would be a secret written into the policy. */
export function holdsSecret(path: Path): boolean {
  const [name, parent, grandparent] = [path.at(-1), path.at(-2), path.at(-3)];
  if (typeof name !== "string" || parent === "json") return false;
  if (parent === "headers") return grandparent !== "expect" && SECRET_HEADERS.has(name.toLowerCase());
  if (name === "secret") return grandparent === "notify";
  if (name === "token") return parent === "server";
  if (name === "value") return parent === "header" && grandparent === "auth";
  return SECRET_FIELDS.has(name);
}
