import { sameFingerprint } from "../lib/secret.ts";
import { shortFingerprint } from "./detail.ts";
import type { Expected, Verdict } from "./probe.ts";

/** What one answer says about the key. */
export interface Judgement {
  verdict: Verdict;
  /** One sentence; bounded by whoever shows it. */
  detail: string;
  serving?: string;
  /** The name that the instance gives itself. */
  instance?: string;
}

/** Whether `reported` is a fingerprint that can be compared: 16 to 64 hex digits, `sha256:` or not before them. */
export function isFingerprint(reported: unknown): reported is string {
  return typeof reported === "string" && /^\s*(sha256:)?[0-9a-f]{16,64}\s*$/i.test(reported);
}

/**
 * Judges a reported fingerprint of the key that is served with. What is none is not repeated in the
 * detail: it might be the key itself.
 */
export function judgeServing(reported: unknown, expected: Expected): Judgement {
  if (!isFingerprint(reported))
    return { verdict: "unwell", detail: "what it serves with is given as no fingerprint" };
  const serving = reported.trim().toLowerCase();
  const short = shortFingerprint(serving);
  if (sameFingerprint(serving, expected.fingerprint)) {
    return { verdict: "confirms", detail: `serves ${short}`, serving };
  }
  const old = expected.outgoing.some((outgoing) => sameFingerprint(serving, outgoing));
  return {
    verdict: "other",
    detail: old ? `still serves ${short}` : `serves another key ${short}`,
    serving,
  };
}
