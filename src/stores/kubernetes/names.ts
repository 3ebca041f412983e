import { createHash } from "node:crypto";
import { RotationError } from "../../lib/errors.ts";
import type { SecretRef } from "../store.ts";

/** Annotations on the Secret that the consumers use. */
export const INSTALLATION = "keyturn.dev/installation";
export const JOURNAL = "keyturn.dev/journal";
/** Id of the version that a promotion of ours has made current. */
export const VERSION = "keyturn.dev/version";
/** What the Secret held then; as long as it holds the same, that version is current. */
export const CONTENT = "keyturn.dev/content";
/** Which key stands in each entry that keyturn has written, as JSON: provider hash and fingerprint. */
export const KEYS = "keyturn.dev/keys";
/** How often the Secret was fenced. */
export const FENCES = "keyturn.dev/fences";
/** On a companion: the name of the Secret that it belongs to. */
export const COMPANION_OF = "keyturn.dev/companion-of";

const SUFFIX = "-keyturn";
const LONGEST = 253;
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** Name of the Secret in which pending and previous values of `secret` lie; a legal name, whatever the length of the other. */
export function companionName(secret: string): string {
  if (secret.length + SUFFIX.length <= LONGEST) return `${secret}${SUFFIX}`;
  const digest = createHash("sha256").update(secret).digest("hex").slice(0, 12);
  const room = LONGEST - SUFFIX.length - digest.length - 1;
  return `${secret.slice(0, room).replace(/[^a-z0-9]+$/, "")}-${digest}${SUFFIX}`;
}

/** The entry that `ref` names. Throws RotationError `unusable` when it names none, or what cannot be a Secret's name or entry. */
export function entryOf({ secret, field }: SecretRef): string {
  const refuse = (what: string, hint: string) => new RotationError("unusable", what, { hint });
  if (secret.length > LONGEST || !SUBDOMAIN.test(secret)) {
    throw refuse(
      `${JSON.stringify(secret)} cannot be the name of a Secret`,
      "use lower-case letters, digits, hyphens and dots, 253 at most",
    );
  }
  if (secret.endsWith(SUFFIX)) {
    throw refuse(
      `Secret ${secret} has the name of a companion, in which keyturn keeps values of ${secret.slice(0, -SUFFIX.length)}`,
      `name a Secret that does not end in ${SUFFIX}`,
    );
  }
  if (field === undefined) {
    throw refuse(
      `a Secret of Kubernetes is always a map, and no entry of ${secret} is named`,
      "name the entry: field: OPENROUTER_API_KEY",
    );
  }
  if (field.length > LONGEST || !/^[-._a-zA-Z0-9]+$/.test(field) || field === "." || field.startsWith("..")) {
    throw refuse(
      `${JSON.stringify(field)} cannot be an entry of a Secret`,
      "use letters, digits, hyphens, underscores and dots, 253 at most",
    );
  }
  return field;
}
