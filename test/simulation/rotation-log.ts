import type { NewEvent } from "../../src/journal/document.ts";
import type { Invariant } from "./observer.ts";
import type { SimProcess } from "./process.ts";
import type { World } from "./world.ts";

/** What ends a rotation, by the kind of its event. */
const ENDS: Record<string, string> = {
  completed: "completed",
  reverted: "reverted",
  fail: "failed",
  failed: "failed",
  supersede: "superseded",
};
const BEGINS = ["start", "distrust"];

/** How much sooner than a period after the last start the next may come, in milliseconds. */
const LATE = 5 * 60_000;

/** What the event log says about rotations: one at a time for a target, one completed for a period. */
export class RotationLog {
  /** Rotations by how they ended. */
  readonly outcomes = new Map<string, number>();
  /** By journal and target. */
  readonly #open = new Map<string, string>();
  readonly #ended = new Set<string>();
  readonly #scheduled = new Map<string, { rotation: string; startedAt: number }>();
  /** When the latest completed scheduled rotation of a key began. */
  readonly #lastPeriod = new Map<string, number>();
  readonly #world: World;
  readonly #violated: (invariant: Invariant, says: string) => void;

  constructor(world: World, violated: (invariant: Invariant, says: string) => void) {
    this.#world = world;
    this.#violated = violated;
  }

  /** The journal was lost, or put back as it was: what follows is another history. */
  forget(): void {
    this.#open.clear();
    this.#ended.clear();
    this.#lastPeriod.clear();
  }

  /** Something has happened to a key after which the schedule may rotate it again at once. */
  excusePeriod(key: string): void {
    this.#lastPeriod.delete(key);
  }

  take(process: SimProcess, target: string, event: NewEvent): void {
    const { rotation, kind, actor, key } = event;
    this.#world.trace.write(process.name, `event ${kind}: ${event.message}`);
    if (rotation === undefined) return;
    const place = `${process.installation} ${target}`;
    const open = this.#open.get(place);
    if (BEGINS.includes(kind)) {
      if (open !== undefined && kind === "start")
        this.#violated(4, `rotation ${rotation} of ${target} begins while ${open} is open`);
      if (open !== undefined) this.#end(open, "superseded");
      this.#open.set(place, rotation);
      this.#scheduled.delete(place);
      if (/expires/.test(event.message)) this.excusePeriod(key);
      else if (actor === "schedule")
        this.#scheduled.set(place, { rotation, startedAt: this.#world.timeline.now() });
      return;
    }
    if (this.#ended.has(rotation)) this.#violated(4, `${kind} of rotation ${rotation}, which has ended`);
    const outcome = ENDS[kind];
    if (kind === "hold") this.#count("held");
    if (outcome === undefined) return;
    this.#open.delete(place);
    this.#end(rotation, outcome);
    if (outcome === "completed") this.#completed(place, key, rotation);
  }

  #completed(place: string, key: string, rotation: string): void {
    const scheduled = this.#scheduled.get(place);
    if (scheduled?.rotation !== rotation) {
      this.excusePeriod(key);
      return;
    }
    const last = this.#lastPeriod.get(key);
    this.#lastPeriod.set(key, scheduled.startedAt);
    const period = this.#world.plan.keys.find(({ policy }) => policy.name === key)?.period;
    // A start that comes late, or by a clock that R15 lets pass, does not move the next due instant.
    if (last === undefined || period === undefined || scheduled.startedAt - last >= period - LATE) return;
    const hours = Math.round((scheduled.startedAt - last) / 3_600_000);
    this.#violated(4, `the schedule has rotated ${key} twice within ${hours} hours`);
  }

  #end(rotation: string, outcome: string): void {
    this.#ended.add(rotation);
    this.#count(outcome);
  }

  #count(outcome: string): void {
    this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1);
  }
}
