import { createHash } from "node:crypto";
import type { Change, Lease } from "../../src/journal/journal.ts";
import type { HttpRequest } from "../../src/lib/http.ts";
import { Duties } from "./duties.ts";
import type { SimProcess } from "./process.ts";
import { RotationLog } from "./rotation-log.ts";
import type { Place, World } from "./world.ts";

/** The invariants of the protocol, by their numbers there. */
export type Invariant = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

export interface Violation {
  invariant: Invariant;
  says: string;
}

interface Current {
  hash: string | undefined;
  value: string | undefined;
  /** The process that put it there; undefined for a person. */
  writer: SimProcess | undefined;
  /** When, in the observer's own count and by the world's clock. */
  tick: number;
  at: number;
}

/** The account that a wrong management key belongs to. */
export const OTHER_ACCOUNT = "another";

/** How old the answers of consumers may be when a key is disabled or deleted upon them, in milliseconds. */
const OLDEST_ANSWER = 5 * 60_000;

interface Sender {
  process: SimProcess;
  /** When it had last looked at the store, in ticks. */
  looked: number;
  answered: boolean;
}

/**
 * Sees the world from outside: the provider's rows, what consumers read and serve with, and the event
 * log that operators see. Knows nothing of how keyturn decides, and shares no code with it.
 */
export class Observer {
  readonly violations: Violation[] = [];
  /** Keys whose end is not keyturn's fault: revoked, or disabled or deleted by a person. */
  readonly excused = new Set<string>();
  readonly rotations: RotationLog;
  readonly #duties: Duties;
  /** A journal was lost or put back at some time. */
  forgot = false;
  readonly #world: World;
  readonly #current = new Map<Place, Current>();
  readonly #everCurrent = new Map<string, Set<Place>>();
  readonly #byHand = new Set<string>();
  /** The plaintext that a rollback needs, by place. */
  readonly #previous = new Map<Place, { hash: string; value: string }>();
  /** When a process last looked at a secret, in ticks. */
  readonly #looked = new Map<SimProcess, Map<string, number>>();
  /** By key, the changes of it that are on their way, with what their senders had last seen of the store; else the latest, which may land late. */
  readonly #senders = new Map<string, Set<Sender>>();
  /** Consumers whose word an operator has waived, by key. */
  readonly #waived = new Map<string, Set<string>>();
  /** The effect of a process on a target that stands in no commit yet. */
  readonly #effects = new Map<string, string>();
  readonly #replaced = new Map<Place, string>();
  readonly #leaks = new Set<string>();
  readonly #texts = new Map<Place, string | undefined>();
  #tick = 0;
  #person = false;

  constructor(world: World) {
    this.#world = world;
    this.rotations = new RotationLog(world, (invariant, says) => this.violated(invariant, says));
    this.#duties = new Duties(world, (invariant, says) => this.violated(invariant, says));
    this.#watchProvider();
  }

  violated(invariant: Invariant, says: string): void {
    this.#world.trace.write("OBSERVER", `INVARIANT ${invariant} IS BROKEN: ${says}`);
    this.violations.push({ invariant, says });
  }

  // What people do.

  madeByHand(hash: string): void {
    this.#byHand.add(hash);
    this.#world.trace.name(hash, `hand-${this.#byHand.size}`);
  }

  isByHand(hash: string): boolean {
    return this.#byHand.has(hash);
  }

  /** Something that a person does to keys at the provider. */
  byPerson(act: () => void): void {
    this.#person = true;
    act();
    this.#person = false;
  }

  /** An operator revokes: every key that this policy key has had so far may end at any time. */
  revoking(key: string): void {
    for (const [hash, places] of this.#everCurrent)
      if ([...places].some((place) => place.key === key)) this.excused.add(hash);
    for (const row of this.#world.provider.allKeys())
      if (row.name.split("/")[2] === key || this.#namesOf(key).includes(row.name.split("/")[2] ?? ""))
        this.excused.add(row.hash);
  }

  /** The value before the one that is current, as old instances and people with long memories have it. */
  replaced(place: Place | undefined): string | undefined {
    return place && this.#replaced.get(place);
  }

  /** A journal was lost or put back: keys that it does not know cannot be proved to be ours. */
  journalForgot(): void {
    this.forgot = true;
    this.rotations.forget();
    this.#duties.forget();
    for (const { hash } of this.#world.provider.allKeys()) this.#leaks.add(hash);
  }

  /** A person has made a secret anew, as it was before anybody claimed it. */
  madeAnew({ store, secret }: Place): void {
    this.#duties.madeAnew(`${store}/${secret}`);
  }

  isExcusedLeak(hash: string): boolean {
    return this.#leaks.has(hash);
  }

  waived(key: string, consumer: string): void {
    this.#waived.set(key, (this.#waived.get(key) ?? new Set()).add(consumer));
  }

  /** A key's earlier names count as its own. */
  #namesOf(key: string): string[] {
    return (this.#world.policyKeys.get(key)?.formerly as string[] | undefined) ?? [];
  }

  // What processes do.

  /** A request is about to leave for the provider; to be called when it has been answered. */
  sending(process: SimProcess, request: HttpRequest): () => void {
    const hash = /\/keys\/([0-9a-f]{64})$/.exec(request.url)?.[1];
    const body = request.body === undefined ? {} : (JSON.parse(request.body) as Record<string, unknown>);
    if (request.method === "POST" && /\/keys$/.test(request.url)) {
      this.#effect(process, String(body.name).split("/")[2] ?? "", "create");
      this.#duties.creates(process, String(body.name));
    }
    if (hash === undefined || request.method === "GET") return () => {};
    const ends = request.method === "DELETE" || body.disabled === true;
    for (const place of this.#everCurrent.get(hash) ?? [])
      this.#effect(process, place.key, `${request.method} ${body.disabled ?? ""} ${hash}`);
    const places = this.#everCurrent.get(hash) ?? new Set();
    const looked = [...places].map((place) => this.#looked.get(process)?.get(place.secret) ?? 0);
    const sender = { process, looked: Math.max(0, ...looked), answered: false };
    const underWay = [...(this.#senders.get(hash) ?? [])].filter(({ answered }) => !answered);
    this.#senders.set(hash, new Set([...underWay, sender]));
    const answered = () => {
      sender.answered = true;
      const senders = this.#senders.get(hash);
      if (senders && senders.size > 1) senders.delete(sender);
    };
    if (!ends) return answered;
    if (places.size > 0 && !this.excused.has(hash)) this.#duties.ends(process, request, hash, places);
    for (const place of places) {
      if (!this.excused.has(hash) && !process.pausedSinceCommit(place))
        this.#askConsumers(process, place, hash);
    }
    return answered;
  }

  beforeCall(process: SimProcess, part: string, method: string, args: readonly unknown[]): void {
    this.#tick += 1;
    const promotes =
      ((part === "local" || part === "cluster") && method === "promote") ||
      (part === "aws" && (args[0] as { VersionStage?: string }).VersionStage === "AWSCURRENT");
    if (!promotes) return;
    const { secret, SecretId } = args[0] as { secret?: string; SecretId?: string };
    for (const place of this.#world.places)
      if (place.secret === (secret ?? SecretId)) this.#effect(process, place.key, "promote");
  }

  afterCall(process: SimProcess, part: string, method: string, args: readonly unknown[]): void {
    this.#tick += 1;
    if (part === "journal") {
      if (method === "commit") {
        const [{ target }, { events }] = args as [Lease, Change];
        this.committed(process, { target, events });
      }
      return;
    }
    const { secret = "", SecretId = "" } = args[0] as { secret?: string; SecretId?: string };
    if (/^(observe|describeSecret)$/.test(method)) {
      const looked = this.#looked.get(process) ?? new Map<string, number>();
      this.#looked.set(process, looked.set(secret || SecretId, this.#tick));
      this.#duties.looked(process, secret || SecretId);
    }
    this.#keepsPrevious(secret || SecretId);
  }

  /** Looks at what is current everywhere, after a call of a process or a person's act. */
  look(writer: SimProcess | undefined): void {
    this.#tick += 1;
    this.#duties.look();
    for (const place of this.#world.places) {
      const text = this.#world.text(place);
      const before = this.#texts.get(place);
      if (this.#texts.has(place) && before === text) continue;
      this.#texts.set(place, text);
      if (writer) this.#duties.wrote(place, before, text, writer);
      this.#lookAt(place, writer);
    }
  }

  current(place: Place): Current | undefined {
    return this.#current.get(place);
  }

  #lookAt(place: Place, writer: SimProcess | undefined): void {
    const value = this.#world.value(place);
    const before = this.#current.get(place);
    if (before && before.value === value) return;
    if (before?.value !== undefined) this.#replaced.set(place, before.value);
    const hash = value === undefined ? undefined : sha256(value);
    const at = this.#world.timeline.now();
    this.#current.set(place, { hash, value, writer, tick: this.#tick, at });
    this.#duties.changed(place, hash, value, writer);
    // What a rotation that goes back gives up is nothing to go back to.
    const returns = hash !== undefined && this.#everCurrent.get(hash)?.has(place) === true;
    if (writer === undefined || returns || before?.hash === undefined || before.value === undefined)
      this.#previous.delete(place);
    else this.#previous.set(place, { hash: before.hash, value: before.value });
    if (hash !== undefined)
      this.#everCurrent.set(hash, (this.#everCurrent.get(hash) ?? new Set()).add(place));
    if (writer && value === undefined && before?.value !== undefined)
      this.violated(2, `${writer.name} has left ${place.key} without a value`);
    if (writer) this.#currentIsEnabled(place);
  }

  // The invariants, one by one.

  /** 1 and 5, at the instant at which a change lands at the provider. */
  #watchProvider(): void {
    const { provider } = this.#world;
    const update = provider.update.bind(provider);
    const remove = provider.delete.bind(provider);
    const create = provider.create.bind(provider);
    provider.create = (...args) => {
      const made = create(...args);
      this.#world.count("keys made");
      this.#world.trace.name(made.issued.hash, `key-${this.#world.counts.get("keys made")}`);
      return made;
    };
    provider.update = (hash, change, account) => {
      if (this.#person) this.excused.add(hash);
      else this.#landing(hash, change.disabled === true, "disables");
      const changed = update(hash, change, account);
      for (const place of this.#world.places) this.#currentIsEnabled(place);
      return changed;
    };
    provider.delete = (hash, account) => {
      if (this.#person) this.excused.add(hash);
      else this.#landing(hash, true, "deletes");
      if (!this.#person) this.#duties.deleted(hash);
      for (const [place, { hash: kept }] of this.#previous) if (kept === hash) this.#previous.delete(place);
      return remove(hash, account);
    };
  }

  #landing(hash: string, ends: boolean, does: string): void {
    const row = this.#world.provider.key(hash);
    if (row === undefined) return;
    const sender = [...(this.#senders.get(hash) ?? [])].at(-1)?.process.installation ?? "prod";
    const ours = row.name.startsWith(`keyturn/${sender}/`) && !this.#byHand.has(hash);
    if (!ours && !this.#everCurrent.has(hash))
      this.violated(5, `keyturn ${does} key ${hash}, which it neither issued nor adopted`);
    if (!ends || this.excused.has(hash)) return;
    for (const place of this.#world.places) {
      const current = this.#current.get(place);
      if (current?.hash !== hash || this.#writtenMeanwhile(hash, current)) continue;
      this.violated(1, `keyturn ${does} key ${hash}, which is current for ${place.key}`);
    }
  }

  /** A person put it there after the process had last looked, or too lately to be seen. */
  #writtenMeanwhile(hash: string, current: Current): boolean {
    const { describeLag, getLag } = this.#world.aws.knobs;
    const lagging = this.#world.timeline.now() - current.at <= Math.max(describeLag, getLag);
    const looked = [...(this.#senders.get(hash) ?? [])].map((sender) => sender.looked);
    const earliest = looked.length === 0 ? 0 : Math.min(...looked);
    return current.writer === undefined && (lagging || current.tick >= earliest);
  }

  #currentIsEnabled(place: Place): void {
    const current = this.#current.get(place);
    if (current?.hash === undefined || current.writer === undefined || this.excused.has(current.hash)) return;
    const { provider } = this.#world;
    const row = provider.key(current.hash) ?? provider.key(current.hash, OTHER_ACCOUNT);
    if (row === undefined)
      this.violated(1, `what ${current.writer.name} made current for ${place.key} is no key at the provider`);
    else if (row.disabled)
      this.violated(
        1,
        `key ${row.hash}, which ${current.writer.name} made current for ${place.key}, is disabled`,
      );
  }

  /** 1: nobody who told the truth when this process last asked serves with a key that is to end. */
  #askConsumers(process: SimProcess, place: Place, hash: string): void {
    const now = this.#world.timeline.now();
    for (const service of place.services) {
      if (this.#waived.get(place.key)?.has(service.name)) continue;
      const asked = process.swept.get(service.name);
      if (asked === undefined || now - asked > OLDEST_ANSWER) {
        this.violated(1, `key ${hash} ends without ${service.name} having been asked lately`);
        continue;
      }
      if ((this.#duties.emptySince(service.name) ?? now) < asked)
        this.violated(1, `key ${hash} ends although ${service.name} has no instance that could be asked`);
      service.serving();
      for (const one of service.instances) {
        if (one.down || one.serving === undefined || sha256(one.serving) !== hash) continue;
        const sinceAsked = one.since > asked || (one.since === asked && one.told?.serving !== one.serving);
        if (sinceAsked || one.told?.truly === false) continue;
        this.violated(1, `key ${hash} ends while ${one.name} serves with it and said so`);
      }
    }
  }

  /** 2: the plaintext that a rollback needs stays in the store. */
  #keepsPrevious(secret: string): void {
    for (const [place, { hash, value }] of this.#previous) {
      if (place.secret !== secret || this.excused.has(hash)) continue;
      if (this.#world.provider.key(hash) === undefined) continue;
      if (!this.#stored(place).includes(value))
        this.violated(
          2,
          `the plaintext of key ${hash}, to which ${place.key} may go back, has left the store`,
        );
    }
  }

  /** Every value that a store holds at a place, as text. */
  #stored({ store, secret }: Place): string {
    if (store === "cluster") return this.#world.cluster.stored(secret);
    if (store === "local") return JSON.stringify(this.#world.disk.get(secret) ?? {});
    const state = this.#world.aws.secret(secret);
    const labelled = new Set(Object.values(state?.labels ?? {}));
    return (state?.versions ?? [])
      .filter(({ id }) => labelled.has(id))
      .map(({ string }) => string)
      .join("\n");
  }

  /** 7: between two effects of a process on a target there is a commit with events. */
  #effect(process: SimProcess, key: string, effect: string): void {
    const at = `${process.name} ${key}`;
    const before = this.#effects.get(at);
    this.#effects.set(at, effect);
    if (before === undefined || before === effect || this.#world.counts.has("late replies")) return;
    // That it would be sent is in the log; only its end is not, because the lease was lost or the answer unclear.
    if (/^(DELETE|PATCH true)/.test(before)) return;
    this.violated(
      7,
      `${process.name}: "${effect}" for ${key} follows "${before}", which is not in the log yet`,
    );
  }

  /** Who takes a secret over knows nothing of the keys before the current one, and cannot go back to them. */
  #changesHands(target: string): void {
    for (const place of this.#world.places)
      if (`${place.store}/${place.secret}` === target) this.#previous.delete(place);
  }

  /** A commit to a target has become durable. */
  committed(process: SimProcess, commit: { target: string; events: Change["events"] }): void {
    const { target, events } = commit;
    process.committed(target);
    for (const place of this.#world.places)
      if (`${place.store}/${place.secret}` === target) this.#effects.delete(`${process.name} ${place.key}`);
    this.#duties.committed(process, commit);
    if (events.length === 0) this.violated(7, `${process.name} commits without an event`);
    for (const event of events) {
      if (event.kind === "distrust") this.revoking(event.key);
      if (event.kind === "claimed") this.#changesHands(target);
      this.rotations.take(process, target, event);
    }
  }
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
