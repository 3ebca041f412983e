import type { RequestRecord } from "../journal/document.ts";
import type { PassOptions } from "../rotation/engine-api.ts";
import type { KeyResult } from "../rotation/report.ts";
import type { Context } from "./context.ts";
import { EXIT, exitOfResults } from "./exit.ts";
import { follow } from "./follow.ts";
import { resultJson } from "./json.ts";
import { print, printJson } from "./print.ts";
import { renderResult } from "./render/results.ts";

type Request = Pick<RequestRecord, "kind" | "without" | "immediately">;

const REQUESTS_AT_ONCE = 64;

export interface FollowOptions {
  /** Milliseconds from now. */
  deadline: number;
  until: PassOptions["until"];
  json?: boolean;
  /** The outcome that was asked for where it is not a completed rotation. */
  asked?: KeyResult["outcome"];
}

/** Journals requests for keys, follows them in a pass and prints how each came out. Gives the exit status. */
export async function requestAndFollow(
  context: Context,
  keys: readonly string[],
  requests: readonly Request[],
  options: FollowOptions,
): Promise<number> {
  const { engine, clock, actor, style } = context;
  // Many together share commits of the journal; those of one key are made in their order.
  for (let from = 0; from < keys.length; from += REQUESTS_AT_ONCE) {
    await Promise.all(
      keys.slice(from, from + REQUESTS_AT_ONCE).map(async (key) => {
        for (const request of requests) await engine.request(key, { ...request, actor });
      }),
    );
  }
  const results = await follow(context, {
    keys,
    deadline: clock.now() + options.deadline,
    start: true,
    until: options.until,
  });
  if (options.json) printJson({ results: results.map(resultJson) });
  else for (const result of results) print(renderResult(carriedOn(handedOver(result)), style));
  const status = exitOfResults(results, { asked: options.asked });
  const soaking = options.until === "deleted" && results.some(({ deleteAt }) => deleteAt !== undefined);
  return status === EXIT.done && soaking ? EXIT.workRemains : status;
}

/** A result that says what carries on what this command leaves in flight. */
function carriedOn(result: KeyResult): KeyResult {
  if (result.outcome !== "waiting" || result.hint !== undefined) return result;
  return { ...result, hint: "`rotate once` or `rotate worker` carries it on" };
}

/** A result that says what follows when another process holds the lease. */
export function handedOver(result: KeyResult): KeyResult {
  if (!result.handedOver) return result;
  return {
    ...result,
    message: "handed to the worker that holds the lease",
    hint: `follow it with: rotate status ${result.key} --watch`,
  };
}
