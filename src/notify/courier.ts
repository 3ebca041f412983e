import type { NoticeRecord } from "../journal/document.ts";
import type { Journal } from "../journal/journal.ts";
import { isAlarm, type Told } from "../journal/outbox.ts";
import type { Clock } from "../lib/clock.ts";
import { asRotationError } from "../lib/errors.ts";
import type { Random } from "../lib/random.ts";
import type { KeyPolicy, Policy } from "../policy/schema.ts";
import type { Log } from "../rotation/parts.ts";
import type { KeyResult } from "../rotation/report.ts";
import { noticeBody } from "./body.ts";
import { type Attempt, type Channel, type DeliverParts, deliver } from "./deliver.ts";
import { type Destination, destinationsOf } from "./destination.ts";
import { Lane } from "./lane.ts";
import { Pinger } from "./pinger.ts";
import type { NotificationBody } from "./schema.ts";

export interface CourierParts extends Omit<DeliverParts, "now"> {
  journal: Pick<Journal, "notices" | "delivered" | "read">;
  /** In force. */
  policy: () => Policy;
  clock: Clock;
  random: Random;
  log: Log;
  /** An attempt has ended. */
  onNotified: (channel: Channel, outcome: "delivered" | "failed") => void;
}

/** How often the journal is asked for what other processes have left, in milliseconds. */
const LOOK_EVERY_MS = 60_000;
/** What was stopped ends at once. A file or a journal that hangs even then is not waited for any longer, in milliseconds. */
const LAST_WORDS_MS = 1_000;
const CANNOT_READ = "the notifications to be delivered cannot be read";
const CANNOT_NOTE = "it cannot be noted who was told; after a restart they are told again";
/** Older than this, a notice is no news: nobody is told any more. */
const KEPT_MS = { alarm: 7 * 24 * 3_600_000, progress: 24 * 3_600_000 };

/**
 * Brings the journal's notices to whom the policy says, beside the passes: nothing waits for it.
 * Each destination is told of each notice at least once; the journal notes who was, so that a
 * restart goes on with those who were not.
 */
export class Courier {
  readonly #parts: CourierParts;
  readonly #lanes = new Map<string, Lane>();
  /** By notice, who was told by this process, as long as the journal may not know. */
  readonly #told = new Map<string, Set<string>>();
  /** By notice, who is still to be told, as last seen. */
  readonly #open = new Map<string, Set<string>>();
  readonly #givenUp = new AbortController();
  readonly #pinger: Pinger;
  #rung = new AbortController();
  #noticed = false;
  #stopAt: number | undefined;
  /** What was last said of the journal, by target; "" for all of it. */
  readonly #said = new Map<string, string>();
  readonly #ended: Promise<void>;

  constructor(parts: CourierParts) {
    this.#parts = parts;
    const post = (destination: Destination, body: NotificationBody) => this.#post(destination, body);
    this.#pinger = new Pinger({ ...parts, post, signal: this.#givenUp.signal });
    this.#ended = this.#run();
  }

  /** Notices were committed. */
  ring(): void {
    this.#noticed = true;
    this.#rung.abort();
  }

  /** A pass has ended: whoever waits for a sign of life gets one. */
  passed(results: readonly KeyResult[]): void {
    this.#pinger.passed(results);
  }

  /** Goes on for `withinMs` at most, with what can be delivered in that time. The rest stays in the journal. */
  async stop(withinMs: number): Promise<void> {
    this.#stopAt = this.#parts.clock.now() + withinMs;
    this.#rung.abort();
    await this.#endedWithin(withinMs);
    this.#givenUp.abort();
    await this.#endedWithin(LAST_WORDS_MS);
  }

  async #endedWithin(ms: number): Promise<void> {
    const done = new AbortController();
    const patience = this.#parts.clock.sleep(ms, done.signal);
    await Promise.race([Promise.all([this.#ended, this.#pinger.settled()]), patience]);
    done.abort();
  }

  async #run(): Promise<void> {
    const { clock } = this.#parts;
    for (;;) {
      this.#rung = new AbortController();
      await this.#lookSafely();
      const lanes = [...this.#lanes.values()];
      for (const lane of lanes)
        if ((lane.next() ?? Infinity) <= clock.now() && !this.#givenUp.signal.aborted)
          lane.begin(() => this.#rung.abort());
      const next = Math.min(...lanes.map((lane) => lane.next() ?? Infinity));
      const busy = lanes.flatMap((lane) => lane.busy ?? []);
      if (this.#stopAt !== undefined) {
        if (this.#givenUp.signal.aborted) return void (await Promise.all(busy));
        // Rung during the look: there may be more than it has found.
        if (busy.length === 0 && next > this.#stopAt && !this.#rung.signal.aborted) return;
      }
      await clock.sleep(
        Math.min(next - clock.now(), LOOK_EVERY_MS),
        AbortSignal.any([this.#rung.signal, this.#givenUp.signal]),
      );
    }
  }

  /** A policy without `notify` costs nothing. */
  #isAsked(): boolean {
    return this.#noticed || this.#parts.policy().keys.some(({ notify }) => notify.length > 0);
  }

  async #lookSafely(): Promise<void> {
    if (!this.#isAsked() || this.#givenUp.signal.aborted) return;
    try {
      await this.#look();
      this.#said.delete("");
    } catch (thrown) {
      this.#sayOnce("", thrown, CANNOT_READ);
    }
  }

  /** Reads what is kept, and deals it out. */
  async #look(): Promise<void> {
    const { journal, clock } = this.#parts;
    const notices = await journal.notices();
    const queues = new Map<string, NoticeRecord[]>();
    const told = new Map<string, Told[]>();
    this.#open.clear();
    for (const id of this.#told.keys())
      if (!notices.some((notice) => notice.id === id)) this.#told.delete(id);
    for (const notice of notices) {
      const stale = clock.now() - notice.at > (isAlarm(notice) ? KEPT_MS.alarm : KEPT_MS.progress);
      const mine = this.#told.get(notice.id) ?? new Set();
      const known = new Set([...(notice.told ?? []), ...mine]);
      const destinations = await this.#destinations(notice).catch(() => undefined);
      // Its part of the journal cannot be read now: who is to be told is not known.
      if (destinations === undefined) continue;
      const open = destinations.filter(({ id }) => !known.has(id));
      if (stale && open.length > 0) this.#sayStale(notice, open.length);
      const last = stale || open.length === 0;
      if (last || known.size > (notice.told?.length ?? 0))
        told.set(notice.target, [...(told.get(notice.target) ?? []), { id: notice.id, by: [...mine], last }]);
      if (last) continue;
      this.#open.set(notice.id, new Set(open.map(({ id }) => id)));
      for (const destination of open) {
        if (!this.#lanes.has(destination.id)) this.#lanes.set(destination.id, this.#lane(destination));
        queues.set(destination.id, [...(queues.get(destination.id) ?? []), notice]);
      }
    }
    for (const [id, lane] of this.#lanes) {
      // What was taken since it was dealt out is not posted again.
      lane.waiting = (queues.get(id) ?? []).filter((notice) => !this.#told.get(notice.id)?.has(id));
      if (!queues.has(id) && !lane.busy) this.#lanes.delete(id);
    }
    for (const [target, some] of told) await this.#note(target, some);
  }

  #lane(destination: Destination): Lane {
    return new Lane(destination, {
      ...this.#parts,
      post: async (to, notice) => await this.#post(to, noticeBody(notice)),
      taken: (by, notice) => this.#taken(by, notice),
    });
  }

  async #post(destination: Destination, body: NotificationBody): Promise<Attempt> {
    const { clock, onNotified } = this.#parts;
    const parts = { ...this.#parts, now: () => clock.now() };
    const attempt = await deliver(destination, body, parts, this.#givenUp.signal);
    onNotified(attempt.channel, attempt.error ? "failed" : "delivered");
    return attempt;
  }

  /** As soon as possible: a process that dies before it tells the same again. */
  async #taken({ id: by }: Destination, { id, target }: NoticeRecord): Promise<void> {
    this.#told.set(id, (this.#told.get(id) ?? new Set()).add(by));
    const open = this.#open.get(id);
    open?.delete(by);
    await this.#note(target, [{ id, by: [by], last: open?.size === 0 }]);
  }

  async #note(target: string, told: readonly Told[]): Promise<void> {
    try {
      await this.#parts.journal.delivered(target, told);
      this.#said.delete(target);
    } catch (thrown) {
      this.#sayOnce(target, thrown, CANNOT_NOTE);
    }
  }

  /** As the present policy says it, or the one that its latest rotation ran under where the key has left. */
  async #destinations({ key, target, field, event }: NoticeRecord): Promise<Destination[]> {
    const present = this.#parts
      .policy()
      .keys.find(({ name, formerly }) => name === key || formerly.includes(key));
    return destinationsOf(present ? [present] : await this.#left(target, field), event);
  }

  async #left(target: string, field: string): Promise<KeyPolicy[]> {
    const { document } = await this.#parts.journal.read(target);
    const { rotation } = document;
    const snapshot = rotation?.field === field ? rotation.policy : document.keys[field]?.policy;
    return snapshot ? [snapshot.key] : [];
  }

  #sayStale({ id, key, event, at }: NoticeRecord, destinations: number): void {
    this.#parts.log(
      "warn",
      { key, event, notification: id, destinations },
      `a notification of ${new Date(at).toISOString()} was never delivered everywhere, and is given up`,
    );
  }

  #sayOnce(target: string, thrown: unknown, what: string): void {
    const { message, code } = asRotationError(thrown);
    const level = this.#said.get(target) === message ? "debug" : "warn";
    this.#said.set(target, message);
    this.#parts.log(level, { code, ...(target ? { target } : {}) }, `${what}: ${message}`);
  }
}
