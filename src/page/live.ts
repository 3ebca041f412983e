import { createHash } from "node:crypto";
import type { EventRecord, Phase } from "../journal/document.ts";
import type { Clock } from "../lib/clock.ts";
import { asRotationError, type RotationError } from "../lib/errors.ts";
import type { Engine } from "../rotation/engine-api.ts";
import type { ConsumerProgress, KeyStatus, Progress } from "../rotation/report.ts";
import type { PageChange } from "../telemetry/event-streams.ts";
import type { Standing } from "../telemetry/health.ts";

/** A key as the journal has it, and what this process sees of its rotation. */
export interface LiveKey extends KeyStatus {
  /** Of the rotation in flight, as last asked. */
  consumers?: ConsumerProgress[];
  /** What the rotation waits for just now. */
  waiting?: string;
  /** When each phase of the rotation in flight was reached. */
  reached?: Partial<Record<Phase, number>>;
}

export interface Snapshot {
  /** When the journal was read, in epoch milliseconds. */
  at: number;
  version: string;
  worker: Standing;
  keys: LiveKey[];
  /** Set when the journal could not be read; there are no keys then. */
  error?: RotationError;
}

export interface LiveParts {
  engine: Pick<Engine, "status" | "history">;
  health: { ready(): Standing };
  clock: Clock;
}

/** The journal is read no more often than this for all clients together, in milliseconds. */
const SHORTEST_MS = 1_000;
/** While somebody watches, it is read this often although this process has changed nothing: others may have. */
const LONGEST_MS = 5_000;
/** A large journal is read at most a quarter of the time while it changes, and a twentieth while it does not. */
const BUSY_SHARE = 4;
const IDLE_SHARE = 20;
/** More changed keys than this are not named. */
const MOST_NAMED = 100;
const MOST_EVENTS = 300;

/** Events that tell of a phase reached. */
const PHASE_OF: Readonly<Record<string, Phase>> = {
  start: "planned",
  staged: "staged",
  verified: "verified",
  promoted: "promoted",
  confirmed: "confirmed",
  disabled: "disabled",
  revert: "reverting",
};

/** What the status page shows: one reading of the journal for all who look, joined with what this process sees. */
export class LiveView {
  readonly #parts: LiveParts;
  readonly #consumers = new Map<string, { rotation: string; consumers: ConsumerProgress[] }>();
  readonly #waiting = new Map<string, { rotation: string; why: string }>();
  /** By key: when the phases of its rotation were reached, as long as that is in this phase. */
  readonly #reached = new Map<string, { of: string; at: Partial<Record<Phase, number>> }>();
  readonly #listeners = new Set<(change: PageChange) => void>();
  #latest: Snapshot | undefined;
  #reading: Promise<Snapshot> | undefined;
  #tookMs = 0;
  #following: AbortController | undefined;
  #changed = new AbortController();

  constructor(parts: LiveParts) {
    this.#parts = parts;
  }

  get version(): string {
    return this.#latest?.version ?? "";
  }

  /** What a pass of this process tells. */
  onProgress(progress: Progress): void {
    const { key } = progress;
    if (progress.type === "consumers") {
      const { rotation, consumers } = progress;
      if (same(this.#consumers.get(key), { rotation, consumers })) return;
      this.#consumers.set(key, { rotation, consumers });
    } else if (progress.type === "waiting") {
      const waiting = { rotation: progress.rotation ?? "", why: progress.why };
      if (same(this.#waiting.get(key), waiting)) return;
      this.#waiting.set(key, waiting);
    } else {
      this.#waiting.delete(key);
    }
    this.#changed.abort();
  }

  /** What there is to show, at most about a second old; several who ask at once share a reading. Throws nothing. */
  async snapshot(): Promise<Snapshot> {
    if (this.#latest && this.#freshFor() > 0) return this.#latest;
    return await this.#readOnce();
  }

  /** Milliseconds until the journal may be read again; none is left when the clock was set back. */
  #freshFor(): number {
    if (this.#latest === undefined) return 0;
    const shortest = Math.max(SHORTEST_MS, BUSY_SHARE * this.#tookMs);
    return Math.max(0, shortest - Math.abs(this.#parts.clock.now() - this.#latest.at));
  }

  /** Calls `listener` after every change, as long as it is not stopped by the function that this gives. */
  watch(listener: (change: PageChange) => void): () => void {
    this.#listeners.add(listener);
    if (this.#following === undefined) void this.#follow();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      this.#following?.abort();
      this.#following = undefined;
    };
  }

  async #follow(): Promise<void> {
    const { clock } = this.#parts;
    const stop = new AbortController();
    this.#following = stop;
    let told = this.#latest;
    for (;;) {
      // Also who comes and goes makes it read no more often.
      const fresh = this.#freshFor();
      if (fresh > 0) await clock.sleep(fresh, stop.signal);
      // One under way may have begun before the change that is looked for.
      await this.#reading;
      if (stop.signal.aborted) return;
      this.#changed = new AbortController();
      const now = await this.#readOnce();
      if (stop.signal.aborted) return;
      if (told?.version !== now.version) this.#tell(told, now);
      told = now;
      const idle = Math.max(LONGEST_MS, IDLE_SHARE * this.#tookMs);
      await clock.sleep(idle, AbortSignal.any([stop.signal, this.#changed.signal]));
      if (stop.signal.aborted) return;
    }
  }

  #tell(before: Snapshot | undefined, now: Snapshot): void {
    const earlier = new Map(before?.keys.map((key) => [key.key, JSON.stringify(key)]));
    const keys = now.keys.filter((key) => earlier.get(key.key) !== JSON.stringify(key)).map(({ key }) => key);
    const all = before === undefined || keys.length > MOST_NAMED || before.error || now.error;
    const change = { version: now.version, ...(all ? {} : { keys }) };
    for (const listener of this.#listeners) listener(change);
  }

  #readOnce(): Promise<Snapshot> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #read(): Promise<Snapshot> {
    const { engine, health, clock } = this.#parts;
    const at = clock.now();
    const worker = health.ready();
    let keys: LiveKey[] = [];
    let error: RotationError | undefined;
    try {
      keys = await Promise.all((await engine.status()).map((status) => this.#joined(status)));
      this.#forget(keys);
    } catch (thrown) {
      error = asRotationError(thrown);
    }
    this.#tookMs = Math.abs(clock.now() - at);
    const version = digest([worker, keys, error?.message]);
    this.#latest = { at: clock.now(), version, worker, keys, ...(error ? { error } : {}) };
    return this.#latest;
  }

  async #joined(status: KeyStatus): Promise<LiveKey> {
    const { key, rotation } = status;
    if (rotation === undefined) return status;
    const consumers = this.#consumers.get(key);
    const waiting = this.#waiting.get(key);
    return {
      ...status,
      ...(consumers?.rotation === rotation.id ? { consumers: consumers.consumers } : {}),
      ...(waiting?.rotation === rotation.id ? { waiting: waiting.why } : {}),
      reached: await this.#phases(status),
    };
  }

  async #phases({ key, target, rotation }: KeyStatus): Promise<Partial<Record<Phase, number>>> {
    if (rotation === undefined) return {};
    const of = `${rotation.id} ${rotation.phase} ${rotation.phaseAt}`;
    const known = this.#reached.get(key);
    if (known?.of === of) return known.at;
    const filter = { target, rotation: rotation.id, limit: MOST_EVENTS };
    const at = phasesOf(await this.#parts.engine.history(filter));
    at.planned ??= rotation.startedAt;
    at[rotation.phase] = rotation.phaseAt;
    this.#reached.set(key, { of, at });
    return at;
  }

  /** What is known of keys that do not rotate any more. */
  #forget(keys: readonly LiveKey[]): void {
    const rotating = new Set(keys.filter(({ rotation }) => rotation).map(({ key }) => key));
    for (const known of [this.#consumers, this.#waiting, this.#reached])
      for (const key of known.keys()) if (!rotating.has(key)) known.delete(key);
  }
}

function phasesOf(events: readonly EventRecord[]): Partial<Record<Phase, number>> {
  const at: Partial<Record<Phase, number>> = {};
  for (const event of events) {
    const phase = PHASE_OF[event.kind];
    if (phase !== undefined) at[phase] = event.at;
  }
  return at;
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function digest(content: unknown): string {
  return createHash("sha256").update(JSON.stringify(content)).digest("hex").slice(0, 16);
}
