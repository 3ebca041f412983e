import { hash } from "node:crypto";
import { type MemoryJournalState, memoryJournalState } from "../../src/journal/memory.ts";
import type { HttpSend } from "../../src/lib/http.ts";
import { handlerSend } from "../../src/sandbox/handler-send.ts";
import { openRouterApi } from "../../src/sandbox/openrouter-api.ts";
import { FIELD, hashOf, policyOf } from "../rotation/scenario.ts";
import { Consumer, type ConsumerState } from "./consumer.ts";
import type { Course } from "./course.ts";
import { type Deed, LoggedModel } from "./logged-model.ts";
import { type Place, type PlaceImage, type PlaceKind, SECRET } from "./place.ts";
import { newProcess } from "./process.ts";
import { quickRandom } from "./quick-random.ts";
import { type QuietClock, quietClock } from "./quiet-clock.ts";

export const MANAGEMENT_KEY = "sk-or-v1-management-key-of-the-account";
const START = Date.parse("2027-03-10T12:00:00Z");

/** All that outlives a process, at one instant. Nothing in it is ever changed. */
export interface Image {
  readonly now: number;
  readonly deeds: readonly Deed[];
  readonly place: PlaceImage;
  readonly consumers: readonly ConsumerState[];
  readonly journal: MemoryJournalState;
}

/** A provider, a store, a journal and two consumers, in virtual time; processes come and go. */
export class CrashWorld {
  readonly course: Course;
  readonly clock: QuietClock;
  readonly model: LoggedModel;
  readonly place: Place;
  readonly journal: MemoryJournalState;
  /** One follows the store by itself, with two instances; the other only when its hook is called. */
  readonly consumers: readonly [Consumer, Consumer];
  readonly policy;
  /** Everything that a process has logged. */
  readonly logged: string[] = [];
  /** What an observer outside has seen that must never be. */
  readonly violations: string[] = [];
  readonly sendToProvider: HttpSend;

  constructor(course: Course, kind: PlaceKind, image?: Image) {
    this.course = course;
    this.clock = quietClock(START);
    this.model = new LoggedModel(this.clock);
    this.model.addManagementKey(MANAGEMENT_KEY);
    this.place = kind(this.clock, image?.place.content);
    this.model.replay(image?.deeds ?? [], this.clock);
    this.model.knobs.activationDelay = course.activationDelay ?? 0;
    this.journal = image ? survivingJournal(image.journal) : memoryJournalState(quickRandom("the journal"));
    this.clock.set(image?.now ?? START);
    this.policy = policyFor(course);
    const { now } = this.clock;
    const read = () => this.currentKey();
    const [follows, waits] = image?.consumers ?? [
      { instances: [{ serving: undefined }, { serving: undefined }], stuck: false },
      { instances: [{ serving: undefined }], stuck: false },
    ];
    this.consumers = [
      new Consumer({ name: "payments", onReload: false, now, read }, follows as ConsumerState),
      new Consumer({ name: "billing", onReload: true, now, read }, waits as ConsumerState),
    ];
    this.sendToProvider = handlerSend(openRouterApi(this.model), this.clock);
  }

  /** A world in which the course is about to begin. */
  static async before(course: Course, kind: PlaceKind): Promise<CrashWorld> {
    const world = new CrashWorld(course, kind);
    if (course.found !== undefined) world.putByHand(course.found);
    const process = newProcess(world, () => {}).process;
    await course.before?.(process, world);
    process.kill();
    return world;
  }

  /** The key in the text that consumers read. */
  currentKey(): string | undefined {
    const text = this.place.current();
    return text === undefined ? undefined : (JSON.parse(text) as Record<string, string>)[FIELD];
  }

  /** The consumer that follows the store by itself does so no more, or does again. */
  stick(stuck: boolean): void {
    this.consumers[0].stick(stuck);
  }

  /** Nobody is there for so long but the consumers, which read, apply and let go meanwhile. */
  passTime(ms: number): void {
    for (const part of ms === 0 ? [] : [0, ms / 2, ms / 2]) {
      this.clock.set(this.clock.now() + part);
      for (const consumer of this.consumers) consumer.serving();
    }
  }

  image(): Image {
    return {
      now: this.clock.now(),
      deeds: [...this.model.deeds],
      place: this.place.image(),
      consumers: this.consumers.map(({ state }) => state),
      journal: survivingJournal(this.journal),
    };
  }

  /** Equal as long as nothing that lasts has changed. */
  marks(): unknown[] {
    for (const consumer of this.consumers) consumer.serving();
    const { documents, leases, requests, events } = this.journal;
    return [
      this.clock.now(),
      this.model.deeds.length,
      this.place.mark(),
      ...this.consumers.map(({ state }) => state),
      events.length,
      ...documents.values(),
      ...leases.values(),
      ...requests.keys(),
    ];
  }

  /** The digest of an image of this world: the same for worlds with the same future. */
  digest(image: Image): string {
    return hash("sha1", futureOf(image, this.model));
  }

  private putByHand(age: number): void {
    const { clock, model } = this;
    const { activationDelay } = model.knobs;
    clock.set(START - age);
    model.knobs.activationDelay = 0;
    const { key } = model.create({ name: "made by hand", limit: 150, limitReset: "monthly" });
    model.knobs.activationDelay = activationDelay;
    clock.set(START);
    this.place.write(`${JSON.stringify({ [FIELD]: key.reveal(), OTHER: "kept" }, null, 2)}\n`);
    const served = [key.reveal(), key.reveal()].map((serving) => ({ serving }));
    const [first, second] = this.consumers;
    first.state = { instances: served, stuck: false };
    second.state = { instances: served.slice(1), stuck: false };
  }
}

/** The hash of the key in the store, for comparison with the provider's. */
export function currentHash(world: CrashWorld): string | undefined {
  return hashOf(world.currentKey());
}

function survivingJournal(journal: MemoryJournalState): MemoryJournalState {
  return {
    id: journal.id,
    documents: new Map(journal.documents),
    leases: new Map(journal.leases),
    hashes: new Map(journal.hashes),
    requests: new Map(journal.requests),
    events: [...journal.events],
    outbox: new Map(journal.outbox),
    living: new Set(),
  };
}

/**
 * What the future of a world depends on. Instants count from now, because nothing here goes by the
 * calendar; of a dead process's lease and of past events nothing depends.
 */
function futureOf({ now, deeds, place, consumers, journal }: Image, model: LoggedModel): string {
  const { documents, hashes, requests } = journal;
  const issued = deeds.filter((deed) => "create" in deed).length;
  const text = JSON.stringify([
    issued,
    model.allKeys(),
    place.text,
    consumers,
    [...documents],
    [...hashes],
    [...requests.values()],
  ]);
  return text.replace(/(?<=:)1[78]\d{11}(?=[,}\]\\])/g, (instant) => `now${Number(instant) - now}`);
}

const policies = new WeakMap<Course, ReturnType<typeof policyOf>>();

function policyFor(course: Course): ReturnType<typeof policyOf> {
  const policy = policies.get(course) ?? policyOf([keyOf(course)]);
  policies.set(course, policy);
  return policy;
}

function keyOf(course: Course): Record<string, unknown> {
  return {
    name: "payments-api",
    provider: "openrouter",
    schedule: { every: "30d" },
    store: { use: "local", secret: SECRET, field: FIELD, create: true },
    consumers: [
      { name: "payments", probe: { http: ["http://payments-0/healthz", "http://payments-1/healthz"] } },
      {
        name: "billing",
        probe: { exec: ["./check-billing", "{fingerprint}"] },
        reload: { http: "http://billing/reload" },
      },
    ],
    confirm: { timeout: "10m", interval: "1s", successThreshold: 2 },
    retire: { watch: "1s" },
    ...course.key,
  };
}
