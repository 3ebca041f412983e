import type { Lease } from "../journal.ts";
import { type LeaseState, requireLease, takeLease } from "../rules.ts";
import { type Entry, refuseMoved, writeEntry } from "./entry.ts";
import { freeLease, heldLease, leaseState } from "./lease.ts";
import { objectName } from "./names.ts";
import type { LeaseObject, Objects } from "./objects.ts";
import { type Outside, persist } from "./persist.ts";

export interface LeaseParts extends Outside {
  objects: Objects;
  /** This process, as Leases name it. */
  holder: string;
  /** Whether the holder of a lease that still runs may be alive. */
  isAlive(holder: string): Promise<boolean>;
}

/** Clocks are compared by a header that has whole seconds: a difference below this is none. Milliseconds. */
const CLOCKS_AGREE_MS = 2_000;

/** The leases of one process on a journal's targets, in Lease objects of their own. */
export class Leases {
  readonly #parts: LeaseParts;
  /** By target, our lease, and the object as it was when we last wrote it. */
  readonly #held = new Map<string, { lease: Lease; object: LeaseObject }>();

  constructor(parts: LeaseParts) {
    this.#parts = parts;
  }

  /** Whether this process took the lease and has not given it back; it may have lost it since. */
  holds(target: string): boolean {
    return this.#held.has(target);
  }

  /** Whether somebody else, who may be alive, holds the lease. */
  async isTaken(target: string): Promise<boolean> {
    return await this.#runsElsewhere(leaseState(await this.#read(target)), this.#now());
  }

  /**
   * As Journal.acquire. The Lease is taken first, then its epoch written into the entry that
   * `readEntry` gives; a process that dies in between leaves a lease that runs out, and nothing
   * written by anybody is lost.
   */
  acquire(target: string, ttlMs: number, readEntry: () => Promise<Entry>): Promise<Lease | undefined> {
    const { holder } = this.#parts;
    return this.#persist(target, async () => {
      const object = await this.#read(target);
      const kept = leaseState(object);
      const now = this.#now();
      const taken = await this.#runsElsewhere(kept, now);
      const next = takeLease(kept, holder, now, ttlMs, () => taken);
      if (next.holder !== holder) {
        if (next.until !== kept.until && next.holder !== undefined)
          await this.#put(target, object, { holder: next.holder, epoch: kept.epoch }, ttlMs);
        return undefined;
      }
      const entry = await readEntry();
      refuseMoved(this.#parts.objects, entry.state);
      const lease = { target, holder, epoch: epochOf(next, kept, entry) };
      const written = await this.#put(target, object, lease, ttlMs);
      const { state } = entry;
      if (state.epoch !== lease.epoch || state.holder !== holder)
        await writeEntry(this.#parts.objects, { ...entry, state: { ...state, holder, epoch: lease.epoch } });
      this.#held.set(target, { lease, object: written });
      return lease;
    });
  }

  /** Throws `busy` unless this process took the lease and has not given it back. */
  requireHeld(lease: Lease): void {
    const held = this.#held.get(lease.target)?.lease;
    requireLease(lease, { holder: held?.holder, epoch: held?.epoch ?? lease.epoch, until: 0 });
  }

  async renew(lease: Lease, ttlMs: number): Promise<void> {
    this.requireHeld(lease);
    // What we wrote last stands unless somebody took the lease since: then the write below is overtaken.
    let known = this.#held.get(lease.target)?.object;
    await this.#persist(lease.target, async () => {
      const object = known ?? (await this.#read(lease.target));
      known = undefined;
      requireLease(lease, leaseState(object));
      const written = await this.#put(lease.target, object, lease, ttlMs);
      this.#held.set(lease.target, { lease, object: written });
    });
  }

  async release(lease: Lease): Promise<void> {
    const held = this.#held.get(lease.target);
    if (held?.lease.epoch !== lease.epoch) return;
    this.#held.delete(lease.target);
    let known: LeaseObject | undefined = held.object;
    await this.#persist(lease.target, async () => {
      const object = known ?? (await this.#read(lease.target));
      known = undefined;
      const { holder, epoch } = leaseState(object);
      if (object === undefined || holder !== lease.holder || epoch !== lease.epoch) return;
      await this.#parts.objects.putLease(this.#name(lease.target), object, freeLease(object, this.#now()));
    });
  }

  /** Gives every lease back; what cannot be given back runs out by itself. */
  async releaseAll(): Promise<void> {
    for (const { lease } of [...this.#held.values()]) await this.release(lease).catch(() => {});
  }

  async #runsElsewhere({ holder, until }: LeaseState, now: number): Promise<boolean> {
    if (holder === undefined || holder === this.#parts.holder || until <= now) return false;
    return await this.#parts.isAlive(holder);
  }

  /** The API server's clock as far as it is known, so that processes whose clocks differ agree on when a lease has run out. */
  #now(): number {
    const { clock, objects } = this.#parts;
    const skew = objects.kube.skewMs() ?? 0;
    return clock.now() + (Math.abs(skew) < CLOCKS_AGREE_MS ? 0 : skew);
  }

  #name(target: string): string {
    return objectName(this.#parts.objects.config.name, target);
  }

  #read(target: string): Promise<LeaseObject | undefined> {
    return this.#parts.objects.lease(this.#name(target));
  }

  #put(
    target: string,
    object: LeaseObject | undefined,
    lease: { holder: string; epoch: number },
    ttlMs: number,
  ): Promise<LeaseObject> {
    const held = heldLease(object, target, lease, this.#now(), ttlMs);
    return this.#parts.objects.putLease(this.#name(target), object, held);
  }

  #persist<T>(target: string, attempt: () => Promise<T>): Promise<T> {
    return persist(this.#parts.objects.said("Lease", this.#name(target)), this.#parts, attempt);
  }
}

/**
 * The epoch of a lease that is ours now. It is kept only while our own goes on, and the entry shows
 * no other; a Lease that was deleted counts from the beginning, and an epoch must never come again.
 */
function epochOf(next: LeaseState, kept: LeaseState, { state }: Entry): number {
  const goesOn = next.epoch === kept.epoch;
  const othersSince =
    state.epoch > kept.epoch || (state.epoch === kept.epoch && state.holder !== next.holder);
  if (goesOn && !othersSince) return kept.epoch;
  return Math.max(kept.epoch, state.epoch) + 1;
}
