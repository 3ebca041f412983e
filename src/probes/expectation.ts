import type { HttpResponse } from "../lib/http.ts";
import { readPointer } from "../lib/json-pointer.ts";
import { fillTemplate, hasPlaceholder } from "../lib/template.ts";
import type { Expectation } from "../policy/schema.ts";
import { shortFingerprint } from "./detail.ts";
import { isFingerprint, type Judgement, judgeServing } from "./judgement.ts";
import type { Expected } from "./probe.ts";

/** What `{fingerprint}`, `{hash}`, `{label}` and `{version}` stand for. */
export function templateValues({ fingerprint, hash, label, version }: Expected): Record<string, string> {
  return { fingerprint, hash, label, version };
}

/** Whether an answer that fits can only come from one that knows the new key. */
export function tellsKeys(expect: Expectation): boolean {
  const texts = [...Object.values(expect.json ?? {}), ...Object.values(expect.headers ?? {}), expect.body];
  return texts.some(
    (text) => typeof text === "string" && hasPlaceholder(text, ["fingerprint", "hash", "label", "version"]),
  );
}

/**
 * Judges an answer by the policy's `expect`: a status that is not expected (200 unless given), or a
 * body that should be JSON and is none, is `unwell`; anything else that does not fit is `other`.
 * A JSON value expected to be exactly `{fingerprint}` is compared as a fingerprint, which may be
 * shortened; all others exactly. An answer that fits and also names an outgoing key by its whole
 * fingerprint `holds` that.
 */
export function judgeExpectation(response: HttpResponse, expect: Expectation, expected: Expected): Judgement {
  const judged = judgeFit(response, expect, expected);
  const held = expected.outgoing.find((outgoing) => names(response, outgoing));
  return judged.verdict === "confirms" && held !== undefined
    ? { ...judged, verdict: "holds", detail: `${judged.detail}, still names ${shortFingerprint(held)}` }
    : judged;
}

function names({ body, headers }: HttpResponse, fingerprint: string): boolean {
  const hex = fingerprint.slice("sha256:".length);
  return [body, ...Object.values(headers)].some((text) => text.toLowerCase().includes(hex));
}

function judgeFit(response: HttpResponse, expect: Expectation, expected: Expected): Judgement {
  const statuses = [expect.status ?? 200].flat();
  if (!statuses.includes(response.status)) {
    return { verdict: "unwell", detail: `HTTP ${response.status}, expected ${statuses.join(" or ")}` };
  }
  const values = templateValues(expected);
  for (const [name, text] of Object.entries(expect.headers ?? {})) {
    const value = response.headers[name.toLowerCase()];
    if (value === undefined) return other(`no header ${name}`);
    if (value.trim() !== fillTemplate(text, values)) return other(`header ${name} is not as expected`);
  }
  if (expect.body !== undefined && !response.body.includes(fillTemplate(expect.body, values))) {
    return other("the body does not contain the expected text");
  }
  const json = expect.json ? judgeJson(response.body, expect.json, values, expected) : undefined;
  return (
    json ?? {
      verdict: "confirms",
      detail: tellsKeys(expect) ? "answers as expected" : `HTTP ${response.status}`,
    }
  );
}

function judgeJson(
  body: string,
  pointers: NonNullable<Expectation["json"]>,
  values: Record<string, string>,
  expected: Expected,
): Judgement | undefined {
  let document: unknown;
  try {
    document = JSON.parse(body);
  } catch {
    return { verdict: "unwell", detail: "the answer is no JSON" };
  }
  let served: Judgement | undefined;
  for (const [pointer, wanted] of Object.entries(pointers)) {
    const found = readPointer(document, pointer);
    if (found === undefined) return other(`nothing at ${pointer}`);
    if (wanted === "{fingerprint}") {
      if (!isFingerprint(found)) return other(`no fingerprint at ${pointer}`);
      served = judgeServing(found, expected);
      if (served.verdict !== "confirms") return served;
    } else if (found !== (typeof wanted === "string" ? fillTemplate(wanted, values) : wanted)) {
      return other(`${pointer} is not as expected`);
    }
  }
  return served;
}

function other(detail: string): Judgement {
  return { verdict: "other", detail };
}
