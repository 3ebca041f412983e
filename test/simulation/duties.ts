import type { NewEvent } from "../../src/journal/document.ts";
import type { Change } from "../../src/journal/journal.ts";
import type { HttpRequest } from "../../src/lib/http.ts";
import type { Invariant } from "./observer.ts";
import type { SimProcess } from "./process.ts";
import { type Place, valueIn, type World } from "./world.ts";

/** How old the last look at the secret may be when a key ends, in milliseconds. */
const OLDEST_LOOK = 5 * 60_000;
/** A clock that is further off keeps a process from creating and deleting, once it had the time to hear the provider's. */
const MOST_SKEW = 5 * 60_000;
const HEARS_WITHIN = 60_000;
/** Less than any backoff of a plan. */
const SHORTEST_BACKOFF = 45 * 60_000;

/** A value as a place had it. */
interface Seen {
  hash: string | undefined;
  writer: SimProcess | undefined;
  /** Never current there before. */
  fresh: boolean;
  tick: number;
}

/**
 * What a process owes the world before it changes it: an entry in the log, a look of just now, a
 * clock that is right, and respect for what others have written. Of this the observer's picture of
 * the world alone would not tell, since a later safeguard may make good what was left out.
 */
export class Duties {
  readonly #world: World;
  readonly #violated: (invariant: Invariant, says: string) => void;
  /** By process and target: what its last commit there says is about to go out. */
  readonly #announced = new Map<SimProcess, Map<string, string[]>>();
  /** When a process last looked at a secret, by the world's clock and in ticks. */
  readonly #looked = new Map<SimProcess, Map<string, { at: number; tick: number }>>();
  /** Since when a process has had the clock that it has. */
  readonly #clocks = new Map<SimProcess, { error: number; since: number }>();
  /** Since when a service has had no instance. */
  readonly #empty = new Map<string, number>();
  /** By place: when the rotation that is open there began. */
  readonly #begun = new Map<Place, { installation: string; tick: number }>();
  readonly #current = new Map<Place, Seen>();
  readonly #everSeen = new Set<string>();
  /** By place: what a process last made current. */
  readonly #kept = new Map<Place, string | undefined>();
  /** Whose each target is since when. */
  readonly #owners = new Map<string, { installation: string; tick: number; at: number }>();
  /** Which installation has begun to take a target over. */
  readonly #takers = new Map<string, string>();
  /** When a rotation of a key last failed or went back by itself. */
  readonly #failed = new Map<string, number>();
  /** Keys that keyturn has deleted. */
  readonly #deleted = new Set<string>();
  #tick = 0;

  constructor(world: World, violated: (invariant: Invariant, says: string) => void) {
    this.#world = world;
    this.#violated = violated;
  }

  /** The journal was lost, or put back as it was. */
  forget(): void {
    this.#begun.clear();
    this.#failed.clear();
    this.#owners.clear();
    this.#takers.clear();
  }

  /** A person has made a secret anew, without anybody's stamp. */
  madeAnew(target: string): void {
    this.#owners.delete(target);
  }

  /** Since when a service has had no instances; undefined while it has some. */
  emptySince(service: string): number | undefined {
    return this.#empty.get(service);
  }

  /** A delete by keyturn lands. */
  deleted(hash: string): void {
    this.#deleted.add(hash);
  }

  look(): void {
    for (const { services } of this.#world.places)
      for (const { name, instances } of services)
        if (instances.length > 0) this.#empty.delete(name);
        else if (!this.#empty.has(name)) this.#empty.set(name, this.#now());
  }

  looked(process: SimProcess, secret: string): void {
    this.#tick += 1;
    const looked = this.#looked.get(process) ?? new Map<string, { at: number; tick: number }>();
    this.#looked.set(process, looked.set(secret, { at: this.#now(), tick: this.#tick }));
  }

  /** A request that makes a key. */
  creates(process: SimProcess, name: string): void {
    const announced = [...(this.#announced.get(process)?.values() ?? [])];
    const commit = announced.find((kinds) => kinds.includes("create-sent"));
    if (commit === undefined)
      this.#violated(7, `${process.name} asks for key "${name}", which is not in the log yet, or once more`);
    else commit.splice(commit.indexOf("create-sent"), 1);
    this.#clockIsRight(process, `asks for key "${name}"`);
  }

  /** A request that disables or deletes a key that has been current at these places, and is not excused. */
  ends(process: SimProcess, { method }: HttpRequest, hash: string, places: ReadonlySet<Place>): void {
    const kind = method === "DELETE" ? "delete-sent" : "disable-sent";
    const announced = [...(this.#announced.get(process)?.values() ?? [])].flat();
    // One that a late list shows once more is deleted once more, as a lost key.
    const there = this.#world.provider.key(hash) !== undefined && !this.#world.observer.forgot;
    if (there && !announced.includes(`${kind} ${hash}`))
      this.#violated(7, `${process.name} ends key ${hash}, of which the log does not tell yet`);
    if ([...places].some((place) => process.pausedSinceCommit(place))) return;
    this.#clockIsRight(process, `ends key ${hash}`);
    for (const { key, secret } of places) {
      const at = this.#looked.get(process)?.get(secret)?.at;
      if (at === undefined || this.#now() - at > OLDEST_LOOK)
        this.#violated(1, `${process.name} ends key ${hash} without a look at the secret of ${key}`);
    }
  }

  /** Another value is current at a place; `writer` is undefined for a person. */
  changed(
    place: Place,
    hash: string | undefined,
    value: string | undefined,
    writer: SimProcess | undefined,
  ): void {
    this.#tick += 1;
    const before = this.#current.get(place);
    const mark = `${place.store} ${place.secret} ${place.field} ${hash}`;
    this.#current.set(place, { hash, writer, fresh: !this.#everSeen.has(mark), tick: this.#tick });
    this.#everSeen.add(mark);
    if (writer === undefined || value === undefined) return;
    // A consumer file that a person set back to what it was before is rendered again, whoever looks (R16).
    if (this.#kept.get(place) !== hash) this.#ownSecret(place, writer);
    this.#kept.set(place, hash);
    const begun = this.#begun.get(place);
    if (
      before?.writer === undefined &&
      before?.fresh &&
      begun?.installation === writer.installation &&
      before.tick > begun.tick &&
      !this.#excused(before.hash)
    )
      this.#violated(2, `${writer.name} overwrites what a person has written for ${place.key} meanwhile`);
    if (this.#deleted.has(hash ?? "") && !this.#world.counts.has("revoked at once"))
      this.#violated(1, `${writer.name} makes a key current for ${place.key} that keyturn has deleted`);
    // AWS makes the first version of a secret current, whatever is asked; its key is tried after that.
    const first = place.store === "aws" && before?.hash === undefined;
    if (!first && !this.#excused(hash) && !this.#expired(hash) && !this.#world.provider.accepted(value))
      this.#violated(1, `${writer.name} makes a key current for ${place.key} that the provider refuses`);
  }

  /** The text of a secret has been changed by a process: what stands in other fields is not its business. */
  wrote(place: Place, before: string | undefined, after: string | undefined, writer: SimProcess): void {
    if (place.field === undefined) return;
    if (valueIn(before, "OTHER") !== valueIn(after, "OTHER"))
      this.#violated(2, `${writer.name} has changed another field of ${place.secret}`);
  }

  committed(process: SimProcess, { target, events }: { target: string; events: Change["events"] }): void {
    this.#tick += 1;
    const announced = this.#announced.get(process) ?? new Map<string, string[]>();
    const kinds = events.map(({ kind, data }) => (data?.hash === undefined ? kind : `${kind} ${data.hash}`));
    this.#announced.set(process, announced.set(target, kinds));
    for (const event of events) this.#take(process, target, event);
  }

  #take({ installation, clockError }: SimProcess, target: string, event: NewEvent): void {
    const { kind, key, reason, message } = event;
    const now = this.#now();
    const place = this.#world.places.find(
      (one) => one.key === key && `${one.store}/${one.secret}` === target,
    );
    if (kind === "take-over-sent") {
      this.#owners.delete(target);
      this.#takers.set(target, installation);
    }
    // Whoever stamped the secret before a take-over may say so after it.
    const takes = this.#takers.get(target) === installation;
    if (kind === "claimed" && (takes || !this.#owners.has(target))) {
      this.#owners.set(target, { installation, tick: this.#tick, at: now });
      if (takes) this.#takers.delete(target);
    }
    const failing = `${installation} ${key}`;
    const goesBack = kind === "revert" && reason === "confirm-timeout";
    if (kind === "completed" || (kind === "revert" && !goesBack)) this.#failed.delete(failing);
    const fails = kind === "fail" || kind === "failed" || goesBack;
    if (fails || (kind === "reverted" && this.#failed.has(failing))) this.#failed.set(failing, now);
    if (kind !== "start" && kind !== "distrust") return;
    if (place) this.#begun.set(place, { installation, tick: this.#tick });
    const failedAt = this.#failed.get(failing);
    if (failedAt === undefined || event.actor !== "schedule" || clockError !== 0) return;
    if (now - failedAt < SHORTEST_BACKOFF && !/expires/.test(message))
      this.#violated(
        4,
        `the schedule starts ${key} again ${Math.round((now - failedAt) / 1000)} s after it failed`,
      );
  }

  #ownSecret(place: Place, writer: SimProcess): void {
    const { key, store, secret } = place;
    const owner = this.#owners.get(`${store}/${secret}`);
    if (owner === undefined || owner.installation === writer.installation || writer.pausedSinceCommit(place))
      return;
    const { describeLag, getLag } = this.#world.aws.knobs;
    if (this.#now() - owner.at <= Math.max(describeLag, getLag)) return;
    if ((this.#looked.get(writer)?.get(secret)?.tick ?? 0) < owner.tick) return;
    this.#violated(
      5,
      `${writer.name} of "${writer.installation}" changes ${key}, which "${owner.installation}" keeps`,
    );
  }

  #clockIsRight(process: SimProcess, does: string): void {
    const error = process.clockError;
    const known = this.#clocks.get(process);
    const clock = known?.error === error ? known : { error, since: this.#now() };
    this.#clocks.set(process, clock);
    if (Math.abs(error) > MOST_SKEW + HEARS_WITHIN && this.#now() - clock.since > HEARS_WITHIN)
      this.#violated(1, `${process.name} ${does} with a clock that is ${error / 60_000} minutes off`);
  }

  #excused(hash: string | undefined): boolean {
    return hash !== undefined && this.#world.observer.excused.has(hash);
  }

  #expired(hash: string | undefined): boolean {
    const { provider, timeline } = this.#world;
    const row = hash === undefined ? undefined : provider.key(hash);
    return row?.expiresAt != null && Date.parse(row.expiresAt) <= timeline.now();
  }

  #now(): number {
    return this.#world.timeline.now();
  }
}
