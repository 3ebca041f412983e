import { RotationError } from "../lib/errors.ts";
import { nearestWord } from "../policy/nearest.ts";
import type { KeyPolicy } from "../policy/schema.ts";
import type { Context } from "./context.ts";
import { EXIT } from "./exit.ts";
import { resultJson } from "./json.ts";
import { keyOf } from "./keys.ts";
import { logProgress } from "./log-progress.ts";
import { print, printJson } from "./print.ts";
import { renderResult } from "./render/results.ts";
import { handedOver } from "./request.ts";

export interface ApproveOptions {
  /** A consumer whose confirmation is waived. */
  without?: string;
  takeOver?: boolean;
  json?: boolean;
}

/** Long enough for the request to be taken up and the next steps to show; the rest is the worker's. */
const PASS_MS = 5_000;

/** `rotate approve KEY`: lets a held rotation go on. */
export async function approve(context: Context, name: string, options: ApproveOptions): Promise<number> {
  const { engine, policy, clock, log, signal, actor, style } = context;
  const entry = keyOf(policy, name);
  const key = entry.name;
  if (options.without !== undefined) checkConsumer(entry, options.without);

  const [status] = await engine.status([key]);
  const held = status?.rotation?.held !== undefined;
  if (!options.takeOver && !held) {
    print(`${key}: nothing waits for approval (${status?.state ?? "unknown"})`);
    return EXIT.failed;
  }
  if (options.takeOver) await engine.request(key, { kind: "take-over", actor });
  if (held) await engine.request(key, { kind: "approve", without: options.without, actor });
  const results = await engine.pass({
    keys: [key],
    deadline: clock.now() + PASS_MS,
    start: true,
    until: "completed",
    signal,
    onProgress: logProgress(log),
  });
  if (options.json) printJson({ results: results.map(resultJson) });
  else
    for (const result of results)
      print(`${held ? "approved" : "taken over"}; ${renderResult(handedOver(result), style)}`);
  const stuck = results.some(
    ({ outcome }) => outcome === "held" || outcome === "failed" || outcome === "blocked",
  );
  return stuck ? EXIT.failed : EXIT.done;
}

function checkConsumer(key: KeyPolicy, consumer: string): void {
  const names = key.consumers === "none" ? [] : key.consumers.map((entry) => entry.name);
  if (names.includes(consumer)) return;
  const meant = nearestWord(consumer, names);
  throw new RotationError("usage", `${key.name} has no consumer ${JSON.stringify(consumer)}`, {
    hint: meant ? `did you mean ${meant}?` : `its consumers are ${names.join(", ") || "none"}`,
  });
}
