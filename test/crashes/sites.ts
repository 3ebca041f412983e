import type { QuietClock } from "./quiet-clock.ts";

/** Told at every point at which a process can die: before and after each call, and between the parts of an effect. */
export type Watch = (where: string) => void;

/** The calls of one process to anything outside itself, in the order in which they are made. */
export interface Sites {
  /** The names of the calls so far. */
  readonly calls: string[];
  /** Makes a call. */
  around<T>(site: string, call: () => Promise<T>): Promise<T>;
  /** A call that is made at once. */
  aroundSync<T>(site: string, call: () => T): T;
  /** In the middle of a call's effect. */
  within(what: string): void;
  /** The same object, each of whose functions is a site. */
  of<T extends object>(part: T, name: string): T;
}

/** A promise of its own each time: one for all would keep every waiter alive for ever. */
const never = () => new Promise<never>(() => {});

/** `dieAt`: the process really dies at that point, counted from 1: no call of its is answered any more. */
export function sitesOf(clock: QuietClock, watch: Watch, death?: { at: number; died(): void }): Sites {
  const calls: string[] = [];
  let points = 0;
  let dead = false;

  const point = (where: string) => {
    if (dead) return;
    points += 1;
    watch(where);
    if (points !== death?.at) return;
    dead = true;
    death.died();
  };
  const sites: Sites = {
    calls,
    async around(site, call) {
      const name = `${site} (call ${calls.push(site)})`;
      point(`before ${name}`);
      if (dead) return await never();
      try {
        return await clock.during(call());
      } finally {
        point(`after ${name}`);
        if (dead) await never();
      }
    },
    aroundSync(site, call) {
      const name = `${site} (call ${calls.push(site)})`;
      point(`before ${name}`);
      const result = call();
      point(`after ${name}`);
      return result;
    },
    within: (what) => point(`within ${calls.at(-1)} (call ${calls.length}), ${what}`),
    of: (part, name) =>
      new Proxy(part, {
        get(inner, property) {
          const value = Reflect.get(inner, property) as unknown;
          if (typeof value !== "function" || property === "kill") return value;
          return (...args: unknown[]) =>
            sites.around(
              `${name}.${String(property)}`,
              async () => (await value.apply(inner, args)) as unknown,
            );
        },
      }),
  };
  return sites;
}
