import { createHmac } from "node:crypto";
import { RotationError } from "../lib/errors.ts";
import type { Secret } from "../lib/secret.ts";

const PREFIX = "whsec_";
/** Standard Webhooks asks for 24 bytes at least. */
const SHORTEST_KEY = 24;

/**
 * The headers by which a receiver knows that a body is ours, as https://www.standardwebhooks.com
 * has them. `secret` is base64, with or without `whsec_` before it; of several, separated by white
 * space, each signs, so that a secret can be replaced without a gap. Throws RotationError `unusable`.
 */
export function signatureHeaders(
  secret: Secret,
  { id, body, now }: { id: string; body: string; now: number },
): Record<string, string> {
  const timestamp = String(Math.floor(now / 1_000));
  const signatures = secret
    .reveal()
    .split(/\s+/)
    .map((text) => createHmac("sha256", keyOf(text)).update(`${id}.${timestamp}.${body}`).digest("base64"));
  return {
    "webhook-timestamp": timestamp,
    "webhook-signature": signatures.map((signature) => `v1,${signature}`).join(" "),
  };
}

function keyOf(text: string): Buffer {
  const base64 = text.startsWith(PREFIX) ? text.slice(PREFIX.length) : text;
  const key = Buffer.from(base64, "base64");
  if (/^[A-Za-z0-9+/]+={0,2}$/.test(base64) && key.length >= SHORTEST_KEY) return key;
  throw new RotationError(
    "unusable",
    "the secret that signs notifications is not base64 of 24 bytes or more",
    {
      hint: 'make one with: echo "whsec_$(openssl rand -base64 32)"',
    },
  );
}
