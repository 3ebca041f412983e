import type { Clock } from "../../src/lib/clock.ts";
import type { Timeline } from "./timeline.ts";

/** What a dead process waits for. A promise of its own each time: one for all would keep every waiter alive for ever. */
const never = () => new Promise<never>(() => {});

/** When a killed process dies: before the call in hand takes effect, between its parts, or once it has. */
export type Moment = "before" | "within" | "after";

/** What the world does around each call of a process. */
export interface Surroundings {
  /** Comes first: may kill or pause the process. */
  beforeCall(process: SimProcess, site: string): void;
  afterCall(process: SimProcess, site: string, error: unknown): void;
}

/**
 * One process of keyturn in the world: all that it does to the outside goes through `call`, where it
 * can be killed, or paused with a call on its way.
 */
export class SimProcess {
  readonly name: string;
  readonly installation: string;
  readonly clock: Clock;
  readonly stop = new AbortController();
  /** Its clock less the world's, in milliseconds. */
  clockError = 0;
  dead = false;
  /** How often it was paused, in all and when it last committed to each target. */
  #pauses = 0;
  readonly #pausesAtCommit = new Map<string, number>();
  /** When it last began to ask each service, by the world's clock. */
  readonly swept = new Map<string, number>();
  /** The handle that dies with it. */
  journal: { kill(): void } | undefined;
  /** SIGHUP; of workers that run. */
  reload: (() => void) | undefined;
  /** Set while what a killed process writes is torn. */
  tearing = false;
  #dying = false;
  #pause: PromiseWithResolvers<void> | undefined;
  readonly #around: Surroundings;

  constructor(options: { name: string; installation: string; timeline: Timeline; around: Surroundings }) {
    const { timeline } = options;
    this.name = options.name;
    this.installation = options.installation;
    this.#around = options.around;
    this.clock = {
      now: () => timeline.now() + this.clockError,
      sleep: async (ms, signal) => {
        await timeline.sleep(ms, signal);
        await this.#turn();
      },
    };
  }

  /** SIGKILL. */
  kill(moment: Moment = "before"): void {
    if (moment !== "before") {
      this.#dying = true;
      this.tearing = moment === "within";
      return;
    }
    this.dead = true;
    this.#dying = false;
    this.tearing = false;
    this.journal?.kill();
  }

  get dying(): boolean {
    return this.#dying;
  }

  get paused(): boolean {
    return this.#pause !== undefined;
  }

  /** SIGSTOP: a call on its way lands only after `resume`. */
  pause(): void {
    this.#pause ??= Promise.withResolvers();
    this.#pauses += 1;
  }

  committed(target: string): void {
    this.#pausesAtCommit.set(target, this.#pauses);
  }

  /** Whether it was paused since it last committed to the target of a place. */
  pausedSinceCommit({ store, secret }: { store: string; secret: string }): boolean {
    return this.#pauses > (this.#pausesAtCommit.get(`${store}/${secret}`) ?? 0);
  }

  resume(): void {
    this.#pause?.resolve();
    this.#pause = undefined;
  }

  /** Everything asynchronous that the part does goes through `call`, as `name.method`. */
  wrap<T extends object>(part: T, name: string): T {
    const wrapped = new Map<PropertyKey, unknown>();
    return new Proxy(part, {
      get: (inner, property) => {
        const value = Reflect.get(inner, property) as unknown;
        if (typeof value !== "function" || property === "skewMs" || property === "kill") return value;
        const known = wrapped.get(property);
        if (known) return known;
        const made = (...args: unknown[]) =>
          this.call(`${name}.${String(property)}`, async () => (await value.apply(inner, args)) as unknown);
        wrapped.set(property, made);
        return made;
      },
    });
  }

  async call<T>(site: string, perform: () => Promise<T>): Promise<T> {
    if (this.dead) return await never();
    this.#around.beforeCall(this, site);
    await this.#turn();
    try {
      const result = await perform();
      await this.#done(site, undefined);
      return result;
    } catch (error) {
      await this.#done(site, error);
      throw error;
    }
  }

  async #done(site: string, error: unknown): Promise<void> {
    this.#around.afterCall(this, site, error);
    if (this.#dying) this.kill();
    await this.#turn();
  }

  async #turn(): Promise<void> {
    while (this.#pause && !this.dead) await this.#pause.promise;
    if (this.dead) await never();
  }
}
