import type { HttpResponse } from "../lib/http.ts";
import { sameFingerprint } from "../lib/secret.ts";
import { shortFingerprint } from "./detail.ts";
import { isFingerprint, type Judgement, judgeServing } from "./judgement.ts";
import type { Expected } from "./probe.ts";

/**
 * Judges an answer by the contract for consumers:
 * `{ status: "ok", instance?, keys: { NAME: { serving: FINGERPRINT | null, holding?: [FINGERPRINT…] } } }`
 * with a 2xx status. Anything that departs from it is `unwell`, with what departs as the detail.
 */
export function judgeContract(response: HttpResponse, expected: Expected): Judgement {
  const body = parseObject(response.body);
  const instance =
    typeof body?.instance === "string" && body.instance.trim() !== "" ? body.instance : undefined;
  return { ...judgeBody(response.status, body, expected), instance };
}

function judgeBody(status: number, body: JsonObject | undefined, expected: Expected): Judgement {
  const said =
    typeof body?.status === "string" && /^[\w-]{1,32}$/.test(body.status)
      ? `status "${body.status}"`
      : undefined;
  if (status < 200 || status > 299) return unwell(said ? `HTTP ${status}, ${said}` : `HTTP ${status}`);
  if (!body) return unwell("the answer is no JSON object");
  if (body.status !== "ok") return unwell(said ?? "the answer has no status that can be read");
  if (body.instance !== undefined && typeof body.instance !== "string")
    return unwell("instance is no string");
  if (!isObject(body.keys)) return unwell("the answer has no keys");
  const { keys } = body;
  const names = expected.keyNames.filter((candidate) => Object.hasOwn(keys, candidate));
  if (names.length === 0) return unwell(missing(expected, Object.keys(keys)));
  const [name, ...others] = names as [string, ...string[]];
  const entry = keys[name];
  if (!isObject(entry)) return unwell(`keys.${name} is no object`);
  // Under an earlier name too the outgoing key may still be in use.
  return judgeEntry(entry, name, others.map((other) => keys[other]).flatMap(fingerprintsIn), expected);
}

function fingerprintsIn(entry: unknown): string[] {
  return isObject(entry) ? [entry.serving, entry.holding].flat().filter(isFingerprint) : [];
}

/** `elsewhere`: fingerprints of keys that the instance has under other names of this one. */
function judgeEntry(
  entry: JsonObject,
  name: string,
  elsewhere: readonly string[],
  expected: Expected,
): Judgement {
  if (entry.serving === undefined) return unwell(`keys.${name} has no serving`);
  const { holding = [] } = entry;
  if (!Array.isArray(holding) || !holding.every(isFingerprint)) {
    return unwell(`keys.${name}.holding is no list of fingerprints`);
  }
  if (entry.serving === null) return { verdict: "other", detail: "has no key yet" };
  const judged = judgeServing(entry.serving, expected);
  const held = [...holding, ...elsewhere].find((one) =>
    expected.outgoing.some((outgoing) => sameFingerprint(one, outgoing)),
  );
  return judged.verdict === "confirms" && held !== undefined
    ? {
        ...judged,
        verdict: "holds",
        detail: `${judged.detail}, still holds ${shortFingerprint(held)}`,
      }
    : judged;
}

/** Only what could be the name of a key in a policy is repeated. */
function missing(expected: Expected, found: string[]): string {
  const names = found.filter((name) => /^[a-z0-9][a-z0-9-]{0,62}$/.test(name)).slice(0, 5);
  const others = found.length - names.length;
  const list = [...names, ...(others > 0 ? [`${others} more`] : [])].join(", ");
  return `keys has no ${expected.keyNames[0]}, only ${list || "nothing"}`;
}

type JsonObject = Record<string, unknown>;

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parseObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function unwell(detail: string): Judgement {
  return { verdict: "unwell", detail };
}
