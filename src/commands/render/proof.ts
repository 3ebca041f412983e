import { formatDuration } from "../../policy/duration.ts";
import type { KeyResult } from "../../rotation/report.ts";
import type { ConsumerStats } from "../../sandbox/sandbox.ts";
import type { Style } from "./style.ts";
import { type Row, table } from "./table.ts";
import { failureLines } from "./traffic.ts";

/** What a rotation in the sandbox came to; the JSON of `rotate demo --json`. */
export interface DemoProof {
  key: string;
  /** `deleted` when all went well. */
  outcome: KeyResult["outcome"];
  message: string;
  /** From the request to rotate until the last answer. */
  requests: { sent: number; failed: number };
  consumers: ConsumerStats[];
  /** What the provider has issued and not deleted. */
  keysBefore: ProofKey[];
  keysAfter: ProofKey[];
  /** The key that was current before. `status` is the provider's answer to it now. */
  oldKey: { hash: string; status: number };
  tookMs: number;
}

export interface ProofKey {
  hash: string;
  name: string;
  label: string;
}

/** What a store of the demo's shows beside the proof. */
export interface Exhibit {
  /** Whether it is as it should be. */
  holds: boolean;
  /** For the proof's lines and for its JSON. */
  rows: readonly Row[];
  json: Record<string, unknown>;
}

/** Whether the demo shows what it is to show. */
export function holds(proof: DemoProof, exhibit?: Exhibit): boolean {
  const { outcome, requests, keysBefore, keysAfter, oldKey } = proof;
  return (
    exhibit?.holds !== false &&
    outcome === "deleted" &&
    requests.failed === 0 &&
    keysBefore.length === 1 &&
    keysAfter.length === 1 &&
    keysAfter[0]?.hash !== oldKey.hash &&
    oldKey.status === 401
  );
}

/** The proof in a few lines; `policy` is the file that it ran under. */
export function proofLines(proof: DemoProof, policy: string, style: Style, exhibit?: Exhibit): string[] {
  const { key, requests, consumers, oldKey, tookMs } = proof;
  const good = holds(proof, exhibit);
  const each = consumers.map(({ name, sent }) => `${name} ${sent}`).join(", ");
  const refused = oldKey.status === 401 ? "and refused" : "yet answered";
  return [
    good
      ? style("green", `${key} was rotated under live traffic and no request failed.`)
      : style("red", headlineOfFailure(proof)),
    "",
    ...table([
      {
        cells: [
          "  requests",
          `${requests.sent} sent during the rotation (${each}), ${requests.failed} failed`,
        ],
        notes: failureLines(consumers.flatMap(({ failures }) => failures)),
      },
      { cells: ["  before", keys(proof.keysBefore)] },
      { cells: ["  after", keys(proof.keysAfter)] },
      {
        cells: [
          proof.outcome === "deleted" ? "  deleted" : "  old key",
          `${oldKey.hash}, ${refused} by the provider (HTTP ${oldKey.status})`,
        ],
      },
      ...(exhibit?.rows ?? []),
      { cells: ["  took", formatDuration(tookMs)] },
    ]),
    ...(good ? ["", ...nextLines(policy)] : []),
  ];
}

function headlineOfFailure({ key, outcome, message }: DemoProof): string {
  return outcome === "deleted"
    ? `${key} was rotated, but not as it should be.`
    : `${key}: ${outcome}, ${message}`;
}

function nextLines(policy: string): string[] {
  return [
    "Next: set OPENROUTER_MANAGEMENT_KEY, and let rotate init write a policy for your own key",
    `(or copy ${policy}); see what would happen: rotate plan; then: rotate --now`,
  ];
}

function keys(found: readonly ProofKey[]): string {
  const count = `${found.length} key${found.length === 1 ? "" : "s"} at the provider`;
  return found.length === 0
    ? count
    : `${count}: ${found.map(({ name, label }) => `${name} (${label})`).join(", ")}`;
}
