/**
 * What looks like a credential, and the part of it that must go. They run over JSON text too: a
 * letter before one may belong to an escape such as \n, so no word boundary is asked for.
 */
const PATTERNS: readonly [RegExp, string][] = [
  // OpenRouter. A masked label (sk-or-v1-0e6…1c9) is too short to match.
  [/sk-or-[A-Za-z0-9_-]{8,}/g, "[secret]"],
  // ARouter.
  [/lr_(?:live|mgmt|admin)_[A-Za-z0-9_-]+/g, "[secret]"],
  [/(Bearer(?:\s|\\[nrt])+)[A-Za-z0-9._~+/=-]+/gi, "$1[secret]"],
  // Base64 of name and password: an upper-case letter, a digit or a sign tells it from a word.
  [/(Basic(?:\s|\\[nrt])+)(?=[a-z]*[A-Z0-9+/=])[A-Za-z0-9+/]{6,}={0,2}/g, "$1[secret]"],
  // The password of a URL's userinfo.
  [/\b([a-z][a-z0-9+.-]*:\/\/[^\s/?#@:"\\]*:)[^\s/?#"\\]+(?=@)/gi, "$1[secret]"],
];

/**
 * `text` with `[secret]` in place of everything that looks like a key, a bearer token or a
 * password in a URL. The second net, under `Secret`. JSON stays JSON.
 */
export function redact(text: string): string {
  return PATTERNS.reduce((rest, [pattern, replacement]) => rest.replace(pattern, replacement), text);
}
