import { join } from "node:path";
import { awsWorld } from "./aws-world.ts";
import { CLI, ratios, sideBySide, timeProcess } from "./measure.ts";
import type { Row } from "./report.ts";

const SCRIPT = join(import.meta.dirname, "script.ts");

/** What is asked at each latency of a call, in milliseconds. */
const ASKED = [
  [0, "≤ 0.5 ×"],
  [50, "≤ 1 ×"],
] as const;

/**
 * Wall time of `rotate --now` for one key, whole process, to that of the script that people would
 * write instead; either in a provider and an AWS of its own, which answer late.
 */
export async function againstScript(runs: number): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [latencyMs, asked] of ASKED)
    rows.push({
      what: `\`rotate --now\` of one key, ${latencyMs} ms a call`,
      against: "a script on the two SDKs",
      asked,
      measured: await ratio(latencyMs, runs),
    });
  return rows;
}

async function ratio(latencyMs: number, runs: number) {
  await using ours = await awsWorld("ours", latencyMs);
  await using theirs = await awsWorld("theirs", latencyMs);
  const [rotate = [], script = []] = await sideBySide(
    [
      () => timeProcess([CLI, "now", "payments-api", "--policy", ours.policy], ours.env),
      () => timeProcess([SCRIPT], theirs.env),
    ],
    runs,
  );
  return ratios(rotate, script);
}
