import type { Provider } from "../../providers/provider.ts";
import type { KeyPlace } from "../targets.ts";
import { type Look, lookAround, type SweepGround } from "./look.ts";
import { removeLost } from "./remove.ts";
import type { SweepOptions, SweepReport, SweptKey } from "./report.ts";

/**
 * R6, R7: walks the providers' lists to their end and says of every key that bears a name of ours,
 * and is accounted for nowhere, what it is; with `remove`, deletes those that are certainly lost.
 * `named`: the places of the keys that were named; undefined for all.
 */
export async function sweep(
  ground: SweepGround,
  options: SweepOptions,
  named: readonly KeyPlace[] | undefined,
): Promise<SweepReport> {
  const look = await lookAround(ground, named);
  if (options.remove) await remove(ground, look, options.remove.actor, options.signal);
  return {
    keys: look.keys,
    known: look.known,
    problems: look.problems.all,
    unsearched: look.scope.unsearched,
  };
}

/** Target by target; what became of a key is written into it. */
async function remove(
  { parts, owner, targets, active }: SweepGround,
  { keys, scope, clients, problems }: Look,
  actor: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const lost = keys.filter(({ verdict }) => verdict === "lost");
  for (const [target, found] of Map.groupBy(lost, (key) => key.target as string)) {
    if (signal?.aborted) return;
    const busy = active.has(target);
    active.add(target);
    const site = {
      target,
      busy,
      places: scope.places.filter((place) => place.target === target),
      policies: targets.get(target) ?? {},
      owner,
      actor,
      providerOf: ({ provider }: SweptKey) => clients.get(provider) as Provider,
      ...(signal ? { signal } : {}),
    };
    try {
      for (const [key, { error, ...became }] of await removeLost(parts, site, found)) {
        Object.assign(key, became);
        if (error) problems.at(target)(error);
      }
    } catch (thrown) {
      problems.at(target)(thrown);
    } finally {
      if (!busy) active.delete(target);
    }
  }
}
