/**
 * Reads of objects of the API whose shape nobody vouches for: what is not of the kind asked for is
 * absent, and only own properties count.
 */
export function at(value: unknown, ...path: readonly string[]): unknown {
  let found = value;
  for (const name of path) {
    if (typeof found !== "object" || found === null || !Object.hasOwn(found, name)) return undefined;
    found = (found as Record<string, unknown>)[name];
  }
  return found;
}

/** A text that is not empty. */
export function textAt(value: unknown, ...path: readonly string[]): string | undefined {
  const found = at(value, ...path);
  return typeof found === "string" && found !== "" ? found : undefined;
}

/** A whole number from zero on. */
export function countAt(value: unknown, ...path: readonly string[]): number | undefined {
  const found = at(value, ...path);
  return Number.isSafeInteger(found) && (found as number) >= 0 ? (found as number) : undefined;
}

export function listAt(value: unknown, ...path: readonly string[]): readonly unknown[] {
  const found = at(value, ...path);
  return Array.isArray(found) ? found : [];
}

/** Names and the texts under them, as of labels and annotations. */
export function textsAt(value: unknown, ...path: readonly string[]): [string, string][] {
  const found = at(value, ...path);
  if (typeof found !== "object" || found === null || Array.isArray(found)) return [];
  return Object.entries(found).filter((entry): entry is [string, string] => typeof entry[1] === "string");
}

/** An instant of the API in epoch milliseconds, by its second: what comes within the second is not told. */
export function secondAt(value: unknown, ...path: readonly string[]): number | undefined {
  const text = textAt(value, ...path);
  // Anything else `Date.parse` would take for local time, or for a year.
  if (!text || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(text)) return undefined;
  const instant = Date.parse(text);
  return Number.isNaN(instant) ? undefined : Math.floor(instant / 1_000) * 1_000;
}

/** `12:00:05Z`, for people. */
export function timeSaid(instant: number): string {
  return `${new Date(instant).toISOString().slice(11, 19)}Z`;
}
