import { inspect } from "node:util";
import fc from "fast-check";
import { expect } from "vitest";
import { ERROR_CODES, RotationError } from "../../src/lib/errors.ts";

/** So many runs of a property; the environment multiplies them. */
export function runs(count: number): { numRuns: number } {
  return { numRuns: Math.max(1, Math.round(count * Number(process.env.KEYTURN_TEST_RUNS ?? 1))) };
}

/** What a call ends with: its value, or a RotationError that is one of ours and shows none of `secrets`. Anything else fails the test. */
export async function outcome<T>(
  call: Promise<T>,
  secrets: readonly string[],
): Promise<{ value: T; error?: undefined } | { value?: undefined; error: RotationError }> {
  try {
    return { value: await call };
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(RotationError);
    const error = thrown as RotationError;
    expect(ERROR_CODES).toContain(error.code);
    // A fault of ours is no answer to somebody else's.
    expect(`${error.code}: ${error.message}`).not.toMatch(/^internal/);
    expect(error.retryAfterMs ?? 0).toBeGreaterThanOrEqual(0);
    expect(error.retryAfterMs ?? 0).toBeLessThanOrEqual(3_600_000);
    expectWithout(secrets, shownOf(error));
    expect(error.message.length).toBeLessThanOrEqual(2_000);
    return { error };
  }
}

/** Every way in which an error may get to be seen. */
export function shownOf(error: RotationError): string {
  return [String(error), error.hint, JSON.stringify(error), inspect(error, { depth: 9 }), error.stack].join(
    "\n",
  );
}

export function expectWithout(secrets: readonly string[], shown: string): void {
  for (const secret of secrets) expect(shown).not.toContain(secret);
}

const oddString = fc.constantFrom(
  "",
  "0",
  "null",
  "__proto__",
  "constructor",
  "toString",
  "\u0000",
  "\ufeff",
  "\ud800",
  "\u202e",
  "\u001b[2J",
  "a\r\nb: c",
  "../..",
  ".",
  "..",
  "%2e%2e",
  "x".repeat(70_000),
);
const oddNumber = fc.constantFrom(0, -0, -1, 1e308, 2 ** 53, 2 ** 31, 0.1 + 0.2);

/** Any JSON value, with a liking for those that break things. */
export const anyJson: fc.Arbitrary<unknown> = fc.oneof(
  { arbitrary: fc.jsonValue({ maxDepth: 3 }), weight: 3 },
  { arbitrary: oddString, weight: 2 },
  { arbitrary: oddNumber, weight: 1 },
  { arbitrary: fc.constantFrom(null, true, false, [], {}, [null], [[]], { data: null }), weight: 2 },
);

type Container = Record<string, unknown> | unknown[];
type Change = {
  at: number;
  kind: "replace" | "remove" | "insert" | "rename" | "twice";
  value: unknown;
  name: string;
};

const change: fc.Arbitrary<Change> = fc.record({
  at: fc.nat(10_000),
  kind: fc.constantFrom("replace", "replace", "remove", "insert", "rename", "twice"),
  value: anyJson,
  name: fc.oneof(fc.string({ maxLength: 12 }), oddString),
});

/** `value` with a few of its nodes replaced, removed, misspelled, doubled, or joined by others. `more`: what else may stand in. */
export function mutated(value: unknown, more: fc.Arbitrary<unknown> = anyJson): fc.Arbitrary<unknown> {
  const changes = fc.array(fc.tuple(change, fc.boolean(), more), { minLength: 1, maxLength: 3 });
  return changes.map((list) => {
    const root = { root: structuredClone(value) };
    for (const [one, other, own] of list) apply(root, other ? { ...one, value: own } : one);
    return root.root;
  });
}

function apply(root: { root: unknown }, { at, kind, value, name }: Change): void {
  const places = placesIn(root);
  const [parent, key] = places[at % places.length] as [Record<string, unknown>, string];
  const copy = structuredClone(value);
  const found = parent[key];
  if (kind === "insert" && typeof found === "object" && found !== null) {
    if (Array.isArray(found)) found.push(copy);
    else define(found as Record<string, unknown>, name, copy);
  } else if (kind === "rename" && !Array.isArray(parent) && parent !== root) {
    delete parent[key];
    define(parent, at % 2 === 0 ? name : `${key.slice(0, 2)}${key.slice(1)}`, found);
  } else if (kind === "remove" && parent !== root) {
    if (Array.isArray(parent)) parent.splice(Number(key), 1);
    else delete parent[key];
  } else if (kind === "twice" && Array.isArray(parent)) {
    parent.push(structuredClone(found));
  } else {
    define(parent, key, copy);
  }
}

/** Also for `__proto__`, which would else set the prototype. */
function define(target: Record<string, unknown>, name: string, value: unknown): void {
  Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true });
}

function placesIn(container: Container): [Container, string][] {
  return Object.entries(container).flatMap(([key, inner]): [Container, string][] => [
    [container, key],
    ...(typeof inner === "object" && inner !== null ? placesIn(inner as Container) : []),
  ]);
}

/** JSON of lists within lists. */
export function nested(depth: number): string {
  return "[".repeat(depth) + "]".repeat(depth);
}

/** Text out of pieces that mean something where it is read, and of others. */
export function soup(pieces: readonly string[], maxLength = 40): fc.Arbitrary<string> {
  const piece = fc.oneof(
    { arbitrary: fc.constantFrom(...pieces), weight: 4 },
    { arbitrary: fc.string({ maxLength: 4, unit: "binary" }), weight: 1 },
  );
  return fc.array(piece, { maxLength }).map((list) => list.join(""));
}
