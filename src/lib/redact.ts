import { withoutKnown } from "./redact-known.ts";
import type { Secret } from "./secret.ts";

const GONE = "[secret]";

/**
 * What looks like a credential whoever wrote it, and the part of it that must go. They run over
 * JSON text too, which stays JSON: a letter before one may belong to an escape such as \n, so no
 * word boundary is asked for. Each is linear in the text, which may come from anybody.
 */
const CREDENTIALS: readonly [RegExp, string][] = [
  // Keys of OpenRouter and of the model makers behind it. A masked label (sk-or-v1-0e6…1c9) is too short.
  [/sk-(?:or|ant|proj)-[\w-]{8,}/gi, GONE],
  // ARouter's, unless masked: lr_live_abc...123.
  [/lr_(?:live|mgmt|admin)_(?![\w-]{1,5}(?:\.{3}|…))[\w-]+/g, GONE],
  [/(bearer(?:\s|\\+[nrt]|%20|%0[9ad]|\+)+)[^\s"'\\]+/gi, `$1${GONE}`],
  // Base64 of name and password: an upper-case letter, a digit or a sign tells it from a word.
  [
    /((?:Basic|basic|BASIC)(?:\s|\\+[nrt]|%20|%0[9ad]|\+)+)(?=[a-z]*[A-Z0-9+/=])[A-Za-z0-9+/_-]{6,}={0,2}/g,
    `$1${GONE}`,
  ],
  // User name and password of a URL: a token may stand as either.
  [/(?<=:\/\/)(?:[^\s/?#"\\]|\\.){1,1000}@/g, `${GONE}@`],
  // What webhooks are signed with.
  [/whsec_[\w+/=-]{8,}/g, GONE],
  // Webhooks whose address is all that is needed to use them.
  [/(?<=hooks\.slack\.com\/|discord(?:app)?\.com\/api\/webhooks\/)[^\s"'\\]+/g, GONE],
];

/** The usual beginnings of keys, where a word can begin: also after an escape of JSON or of a URL. */
const KEY_LIKE =
  /(?:(?<![A-Za-z0-9_])|(?<=\\[bfnrt]|\\u[0-9a-f]{4}|%[0-9a-f]{2}))(?:sk|lr|pk)[-_][\w-]{6,}/gi;
/** Without any of these, a text holds nothing of either list: most are told apart by one look. */
const SUSPECT = /(?:sk|lr|pk)[-_]|bearer|basic|@|whsec_|hooks\.slack|discord/i;
const MASKED_AFTER = /^(?:\.{3}|…)/;

/**
 * `text` of ours with `[secret]` in place of everything that looks like a key, a bearer token, or
 * the credentials of a URL: the second net, under `Secret`. A name that merely begins as keys do
 * (`sk-gateway`) stays.
 */
export function redact(text: string): string {
  if (!SUSPECT.test(text)) return text;
  const without = withoutCredentials(text);
  return without.replace(KEY_LIKE, (found) => (looksRandom(found) ? GONE : found));
}

/**
 * The same for what somebody else wrote: whatever begins as keys do goes, masked labels excepted,
 * and so does each of `known`, pieces and usual encodings of it included.
 */
export function redactQuoted(text: string, known: readonly Secret[] = []): string {
  const rest = known.reduce(withoutKnown, text);
  if (!SUSPECT.test(rest)) return rest;
  return withoutCredentials(rest).replace(KEY_LIKE, (found, at: number, whole: string) =>
    found.length <= 13 && MASKED_AFTER.test(whole.slice(at + found.length, at + found.length + 3))
      ? found
      : GONE,
  );
}

/** The same for the output of a program: every long run of letters and digits goes too, but no fingerprint (`sha256:…`). */
export function redactOutput(text: string): string {
  return redactQuoted(text).replace(/sha256:[0-9a-f]{16,64}(?![\w+=-])|[\w+=-]{32,}/gi, (run) =>
    run.slice(0, 7).toLowerCase() === "sha256:" ? run : GONE,
  );
}

function withoutCredentials(text: string): string {
  return CREDENTIALS.reduce((rest, [pattern, replacement]) => rest.replace(pattern, replacement), text);
}

/** Names in our own text are words with hyphens between them, those of variables have no small letters; keys are neither. */
function looksRandom(run: string): boolean {
  const rest = run.slice(3);
  return (
    rest.length >= 20 && /\d/.test(rest) && /[a-z]/.test(rest) && (/[A-Z]/.test(rest) || !/[-_]/.test(rest))
  );
}
