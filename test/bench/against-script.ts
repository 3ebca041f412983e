import { join } from "node:path";
import { awsWorld } from "./aws-world.ts";
import { CLI, ratios, type Spread, sideBySide, timeProcess } from "./measure.ts";

const SCRIPT = join(import.meta.dirname, "script.ts");

/**
 * Wall time of `rotate --now` for one key, whole process, to that of the script that people would
 * write instead; either in a provider and an AWS of its own, which answer `latencyMs` late.
 */
export async function againstScript(latencyMs: number, runs: number): Promise<Spread> {
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
