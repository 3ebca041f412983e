/** When a process dies: at its `at`-th call of anything outside itself, before or after the call has its effect. */
export interface Mortality {
  at: number;
  moment: "before" | "after";
  /** Calls so far, as `part.method`. */
  calls: string[];
  dead: boolean;
  /** Resolves when it has died. */
  died: Promise<void>;
  die(): void;
}

export function mortality(at: number, moment: "before" | "after"): Mortality {
  const { promise, resolve } = Promise.withResolvers<void>();
  const life: Mortality = {
    at,
    moment,
    calls: [],
    dead: false,
    died: promise,
    die: () => {
      life.dead = true;
      resolve();
    },
  };
  return life;
}

/** A promise of its own each time: one for all would keep every waiter alive for ever. */
const never = () => new Promise<never>(() => {});

/** The same object, whose asynchronous methods stop answering for ever once the process has died. */
export function mortal<T extends object>(part: T, name: string, life: Mortality): T {
  return new Proxy(part, {
    get(inner, property) {
      const value = Reflect.get(inner, property) as unknown;
      if (typeof value !== "function") return value;
      if (property === "skewMs" || property === "kill") return value.bind(inner);
      return async (...args: unknown[]) => {
        if (life.dead) return await never();
        life.calls.push(`${name}.${String(property)}`);
        const last = life.calls.length === life.at;
        if (last && life.moment === "before") {
          life.die();
          return await never();
        }
        const result = (await value.apply(inner, args)) as unknown;
        if (last) life.die();
        return life.dead ? await never() : result;
      };
    },
  });
}
