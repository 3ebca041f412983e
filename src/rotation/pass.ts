import type { PolicySnapshot, TargetDocument } from "../journal/document.ts";
import type { Lease } from "../journal/journal.ts";
import { asRotationError, type RotationError } from "../lib/errors.ts";
import type { Owner } from "../lib/owner.ts";
import { decide } from "./decide.ts";
import { Facts, observe } from "./observe.ts";
import type { Parts } from "./parts.ts";
import { consumerProgress, endProgress, rotationProgress } from "./progress.ts";
import type { ConsumerProgress, Progress } from "./report.ts";
import { type Effect, type Look, type Note, type Step, stepKey } from "./step.ts";
import { stepFields } from "./step-fields.ts";
import { perform, record } from "./steps/act.ts";
import { LEASE_MS, Overslept, StepContext } from "./steps/context.ts";
import { stepBackoff } from "./timing.ts";
import type { Turn } from "./turns.ts";
import { type Asked, type Failure, type Question, questionKey, type World } from "./world.ts";

export interface TargetPassOptions {
  target: string;
  /** The present policy's keys of the target, by field; another object once it says something else of them. */
  policies: () => Record<string, PolicySnapshot>;
  owner: Owner;
  start: boolean;
  /** Waits that end later than this end the pass. Epoch milliseconds. */
  deadline: number;
  /** Waits longer than this, from now, end the pass; for a worker that comes back by itself. Milliseconds. */
  horizon: number;
  /** False: once nothing is in flight any more, waits for retirements are not waited for. */
  followRetirements: boolean;
  /** By step, the failure that was last said of it, by this pass or an earlier one: the same again is said once. */
  said: Map<string, string>;
  /** By question, when consumers were asked last, by this pass or an earlier one. */
  asked: Map<string, Asked>;
  /** Given up for every wait, and for every look that takes as long as somebody else likes. */
  turn: Turn;
  signal?: AbortSignal;
  onProgress?: (progress: Progress) => void;
}

/** Why a pass over a target ended. */
export type PassEnd =
  | { end: "idle"; until?: number }
  | { end: "waiting"; until: number; reason: string; says: string; error?: RotationError }
  | { end: "parked"; reason: string; says: string }
  | { end: "stopped" }
  /** Another live worker has the lease. */
  | { end: "busy" }
  /** The pass could not go on: the journal failed, or we are at fault. */
  | { end: "broken"; error: RotationError };

/** How long one wait lasts at most before requests and the lease are looked after again: with a rotation in flight, and without. */
const SLICE_MS = 1_000;
const LONG_SLICE_MS = 10_000;
/** A wait that has run out is judged again, but never as fast as the machine can. */
const SHORTEST_WAIT_MS = 5;

/**
 * One pass over one target: look → decide → act → record, until there is nothing to do, or what is
 * left waits past the deadline. Every step is safe to be the last one.
 */
export class TargetPass {
  private readonly parts: Parts;
  private readonly options: TargetPassOptions;
  private readonly facts: Facts;
  private readonly failed: Record<string, Failure> = {};
  /** As of the latest look at the world. */
  private policies: Record<string, PolicySnapshot>;
  private latest = Number.NEGATIVE_INFINITY;
  private deadline: number;
  private lastEnd: PassEnd = { end: "idle" };
  private lease: Lease | undefined;
  private renewed = 0;

  constructor(parts: Parts, options: TargetPassOptions) {
    this.parts = parts;
    this.options = options;
    this.facts = new Facts(options.asked);
    this.deadline = options.deadline;
    this.policies = options.policies();
  }

  /** Runs the pass under the target's lease. */
  async run(): Promise<PassEnd> {
    if (await this.nothingToDo()) return this.lastEnd;
    try {
      for (;;) {
        const next = await this.options.turn(this.lease !== undefined, () => this.work());
        if ("end" in next) return next;
        await next.away();
      }
    } catch (thrown) {
      const error = asRotationError(thrown);
      if (error.code !== "busy") throw error;
      return { end: "busy" };
    } finally {
      await this.facts.letGo();
      if (this.lease !== undefined) await this.parts.journal.release(this.lease).catch(() => {});
    }
  }

  /** A target with nothing to do costs one read of the journal, and no lease. */
  private async nothingToDo(): Promise<boolean> {
    const decision = decide(await this.world());
    if (!("idle" in decision)) return false;
    this.lastEnd = { end: "idle", ...decision.idle };
    return true;
  }

  /** One turn: works until the end, or until there is something that no turn is for. */
  private async work(): Promise<PassEnd | { away: () => Promise<void> }> {
    for (;;) {
      if (this.options.signal?.aborted) return { end: "stopped" };
      const lease = await this.ourLease();
      if (lease === undefined) return { end: "busy" };
      const world = await this.world();
      const decision = decide(world);
      if ("idle" in decision) return { end: "idle", ...decision.idle };
      if ("parked" in decision) return this.parked(decision.parked);
      if ("wait" in decision) {
        const ended = this.ends(world, decision.wait);
        if (ended) return ended;
        this.tellWaiting(world, decision.wait);
        const slice = world.document.rotation ? SLICE_MS : LONG_SLICE_MS;
        const left = Math.min(decision.wait.until - world.now, slice);
        return { away: () => this.parts.clock.sleep(Math.max(left, SHORTEST_WAIT_MS), this.options.signal) };
      }
      const { step } = decision;
      if (takesLong(step)) return { away: () => this.take(lease, world, step) };
      await this.take(lease, world, step);
    }
  }

  /** Taken in the first turn, so that it does not run out before; undefined when another live worker has it. */
  private async ourLease(): Promise<Lease | undefined> {
    const { clock, journal } = this.parts;
    if (this.lease === undefined) {
      this.lease = await journal.acquire(this.options.target, LEASE_MS);
      this.renewed = clock.now();
    } else if (Math.abs(clock.now() - this.renewed) > LEASE_MS / 4) {
      await journal.renew(this.lease, LEASE_MS);
      this.renewed = clock.now();
    }
    return this.lease;
  }

  private async world(): Promise<World> {
    const { journal, clock, random } = this.parts;
    const { document, requests } = await journal.read(this.options.target);
    const policies = this.options.policies();
    // What was found may be of another place, and what failed may be mended.
    if (policies !== this.policies) this.forgetEverything();
    this.policies = policies;
    // After the last wait: a process that slept in one would take what it found before for fresh (R3).
    const now = clock.now();
    if (now < Math.max(this.latest, this.facts.latest)) this.forgetEverything();
    // The pass is not to last longer for it.
    if (now < this.latest) this.deadline -= this.latest - now;
    this.latest = now;
    return {
      now,
      target: this.options.target,
      owner: this.options.owner,
      document,
      policies,
      requests,
      mayStart: this.options.start,
      fraction: random.fraction(),
      ...this.facts.known(),
      failed: this.failed,
    };
  }

  /** As when the clock went back: how old anything found in this pass is, nobody knows (R15). */
  private forgetEverything(): void {
    this.facts.forgetAll();
    for (const key of Object.keys(this.failed)) delete this.failed[key];
  }

  private ends(world: World, wait: { until: number; reason: string; says: string }): PassEnd | undefined {
    const inFlight = world.document.rotation !== undefined || world.requests.length > 0;
    // Between two sweeps the evidence of this pass must not be lost, however long the interval.
    const horizon = wait.reason === "consumers" ? Number.POSITIVE_INFINITY : this.options.horizon;
    const tooLong = wait.until > this.deadline || wait.until - world.now > horizon;
    if (!tooLong && (inFlight || this.options.followRetirements)) return undefined;
    const error = Object.values(this.failed).at(-1)?.error;
    return { end: "waiting", ...wait, ...(error ? { error } : {}) };
  }

  private parked(parked: { reason: string; says: string; until?: number }): PassEnd {
    return { end: "parked", reason: parked.reason, says: parked.says };
  }

  private tellWaiting(world: World, wait: { until: number; reason: string; says: string }): void {
    const { rotation } = world.document;
    const key = rotation?.policy.key.name ?? Object.values(this.policies)[0]?.key.name ?? this.options.target;
    this.options.onProgress?.({
      type: "waiting",
      key,
      until: wait.until,
      reason: wait.reason,
      why: wait.says,
      ...(rotation ? { rotation: rotation.id, phase: rotation.phase } : {}),
    });
  }

  private async take(lease: Lease, world: World, step: Step): Promise<void> {
    const startedAt = this.parts.clock.now();
    if ("note" in step) {
      await this.change(lease, world, step, startedAt, (context) => record(context, step as Note));
      return;
    }
    const key = stepKey(step);
    const along = Promise.all((step.also ?? []).map((look) => this.lookAlong(world, look, startedAt)));
    try {
      if ("look" in step) await this.look(world, step, startedAt);
      else await this.change(lease, world, step, startedAt, (context) => perform(context, step as Effect));
      await along;
      delete this.failed[key];
      this.options.said.delete(key);
    } catch (thrown) {
      await along;
      if (thrown instanceof Overslept) return;
      const error = asRotationError(thrown);
      if (error.code === "busy" && "effect" in step) throw error;
      await this.failedStep(lease, step, key, error, startedAt);
    }
  }

  private async look(
    world: World,
    look: Look & { reason: string; says: string },
    startedAt: number,
  ): Promise<void> {
    await observe(this.parts, world, this.facts, look, startedAt, this.options.signal);
    const consumers = look.look === "sweep" ? this.swept(world, look.question) : undefined;
    this.parts.log(
      "debug",
      { ...this.fields(world.document, look, startedAt), ...(consumers ? { consumers } : {}) },
      look.says,
    );
  }

  /** A look made ahead of its turn: what it finds is kept; where it fails, it is made again when its turn comes. */
  private async lookAlong(world: World, look: Look & Step, startedAt: number): Promise<void> {
    await this.look(world, look, startedAt).catch((thrown: unknown) => {
      const { message } = asRotationError(thrown);
      this.parts.log("debug", this.fields(world.document, look, startedAt), message);
    });
  }

  /** How far the consumers of a question are, which a watcher is told. */
  private swept(world: World, question: Question): ConsumerProgress[] {
    const evidence = this.facts.evidence[questionKey(question.field, question.wanted, question.outgoing)];
    const { rotation } = world.document;
    const consumers = consumerProgress(question, evidence, rotation?.waived ?? []);
    this.options.onProgress?.({
      type: "consumers",
      key: question.policy.name,
      rotation: rotation?.id ?? "",
      consumers,
    });
    return consumers;
  }

  private async change(
    lease: Lease,
    world: World,
    step: Step,
    startedAt: number,
    act: (context: StepContext) => Promise<void>,
  ): Promise<void> {
    const context = new StepContext(this.parts, lease, this.facts, world, step);
    try {
      await act(context);
    } finally {
      this.tellChange(world.document, context.document, step, startedAt);
    }
  }

  private tellChange(before: TargetDocument, after: TargetDocument, step: Step, startedAt: number): void {
    if (before === after) return;
    const fields = this.fields(after.rotation ? after : before, step, startedAt);
    const ended =
      before.rotation !== undefined && after.rotation?.id !== before.rotation.id
        ? before.rotation
        : undefined;
    const last = ended && after.keys[ended.field]?.last;
    const failed = last?.outcome === "failed";
    const warns =
      failed || ["hold", "block", "supersede", "overdue"].includes("note" in step ? step.note : "");
    this.parts.log(warns ? "warn" : "info", fields, failed ? (last.message ?? step.says) : step.says);
    const told = rotationProgress(before.rotation, after.rotation, step.says);
    if (told) this.options.onProgress?.(told);
    if (ended && last) this.options.onProgress?.(endProgress(ended, last, step.says));
  }

  /** Remembers a failed step, so that it is tried again after a bounded wait, and journals it with the open rotation. */
  private async failedStep(
    lease: Lease,
    step: Step,
    key: string,
    error: RotationError,
    startedAt: number,
  ): Promise<void> {
    const now = this.parts.clock.now();
    const count = (this.failed[key]?.count ?? 0) + 1;
    const patience = Math.max(stepBackoff(count, this.parts.random.fraction()), error.retryAfterMs ?? 0);
    this.failed[key] = { error, at: now, count, until: now + patience };
    const { document } = await this.parts.journal.read(this.options.target);
    const fields = { ...this.fields(document, step, startedAt), code: error.code };
    const again = this.options.said.get(key) === error.message;
    this.options.said.set(key, error.message);
    this.parts.log(
      again ? "debug" : "warn",
      { ...fields, ...(error.hint ? { hint: error.hint } : {}) },
      error.message,
    );
    this.options.onProgress?.({
      type: "note",
      key: document.rotation?.policy.key.name ?? Object.values(this.policies)[0]?.key.name ?? "",
      level: "warn",
      message: error.message,
      ...(error.hint ? { hint: error.hint } : {}),
      ...(document.rotation ? { rotation: document.rotation.id } : {}),
    });
    if (document.rotation === undefined) return;
    const world = await this.world();
    const context = new StepContext(this.parts, lease, this.facts, world, step);
    await context.commit(
      "step-failed",
      (draft) => {
        if (draft.rotation === undefined) return;
        const failures = (draft.rotation.failures?.count ?? 0) + 1;
        draft.rotation.failures = {
          count: failures,
          code: error.code,
          message: error.message,
          at: now,
          ...(error.hint ? { hint: error.hint } : {}),
        };
      },
      { message: error.message },
    );
  }

  private fields(document: TargetDocument, step: Step, startedAt: number): Record<string, unknown> {
    const ground = { target: this.options.target, policies: this.policies, document };
    return { ...stepFields(step, ground), durationMs: this.parts.clock.now() - startedAt };
  }
}

/** Consumers answer and reload when they like, and a list that many keys wait for is walked for all of them. */
function takesLong(step: Step): boolean {
  const slow = (one: Step) =>
    "look" in one ? one.look === "sweep" || one.look === "list" : "effect" in one && one.effect === "reload";
  return [step, ...(step.also ?? [])].some(slow);
}
