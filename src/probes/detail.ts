const LONGEST_DETAIL = 200;

/** One printable line of at most 200 characters: what goes to people and into the log. */
export function detail(text: string): string {
  const line = text.replace(/[\p{C}\s]+/gu, " ").trim();
  return line.length > LONGEST_DETAIL ? `${line.slice(0, LONGEST_DETAIL - 1)}…` : line;
}

/** `text` without what looks like a credential; fingerprints (`sha256:…`) stay. */
export function redact(text: string): string {
  return text
    .replace(/\b(bearer|basic)\s+[^\s"']+/gi, "$1 [redacted]")
    .replace(/\b(?:sk|lr|pk)[-_][\w-]{6,}/g, "[redacted]")
    .replace(/(\w+:\/\/)[^\s/@]+@/g, "$1[redacted]@")
    .replace(/(sha256:)?[\w+=-]{32,}/g, (run, prefix?: string) => (prefix ? run : "[redacted]"));
}

/** A fingerprint as people are shown it: `sha256:` and twelve digits. */
export function shortFingerprint(reported: string): string {
  const hex = reported
    .trim()
    .toLowerCase()
    .replace(/^sha256:/, "");
  return `sha256:${hex.slice(0, 12)}…`;
}
