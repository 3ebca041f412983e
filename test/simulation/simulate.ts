import { type ActKind, DAY } from "./acts/act.ts";
import { ACTS } from "./acts/all.ts";
import { calmDown } from "./calm.ts";
import { Crew } from "./crew.ts";
import type { Violation } from "./observer.ts";
import type { Happening, Plan } from "./plan.ts";
import { World } from "./world.ts";

/** What came of one run. */
export interface Outcome {
  /** Of everything that happened; the same for the same plan. */
  trace: string;
  violations: Violation[];
  /** Lines for people, when they were asked for. */
  story: string[] | undefined;
  /** Calls, kills, happenings by kind, rotations by outcome. */
  counts: Map<string, number>;
  /** Virtual milliseconds. */
  lasted: number;
}

/**
 * Runs a plan in virtual time: troubles until the end of its days, then calm, in which every rotation
 * must come to its end and nothing may be left over. Nothing but the plan decides what happens.
 */
export async function simulate(plan: Plan, options: { story?: boolean } = {}): Promise<Outcome> {
  const world = new World(plan, { story: options.story ?? false });
  const crew = new Crew(world);
  const { timeline, observer } = world;
  crew.begin();
  for (const happening of plan.happenings) {
    await timeline.sleep(plan.startAt + happening.at - timeline.now());
    happen(world, crew, happening);
    if (observer.violations.length > 0) break;
  }
  await timeline.sleep(plan.startAt + plan.days * DAY - timeline.now());
  if (observer.violations.length === 0) await calmDown(world, crew);
  crew.end();
  const { outcomes } = observer.rotations;
  for (const [outcome, count] of outcomes) world.count(`rotation ${outcome}`, count);
  return {
    trace: world.trace.digest(),
    violations: observer.violations,
    story: world.trace.lines,
    counts: world.counts,
    lasted: timeline.now() - plan.startAt,
  };
}

function happen(world: World, crew: Crew, { act, args, calls }: Happening): void {
  const kind = ACTS[act] as ActKind;
  const apply = (caller?: Parameters<ActKind["apply"]>[2]) => {
    world.trace.write("fate", `${act} ${JSON.stringify(args)}`);
    world.count(`happening ${act}`);
    kind.apply({ world, crew }, args, caller);
    world.observer.look(undefined);
  };
  if (calls === 0) apply();
  else world.arm(calls, apply);
}
