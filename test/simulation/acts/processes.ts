import type { SimProcess } from "../process.ts";
import { type Acts, DAY, HOUR, later, MINUTE, type Scene, SECOND } from "./act.ts";

/** The process that is calling, else one that lives. */
function victim({ world }: Scene, caller: SimProcess | undefined): SimProcess | undefined {
  if (caller && !caller.dead && !caller.dying) return caller;
  return [...world.processes].find((process) => !process.dead && !process.dying);
}

/** Processes of keyturn, the machines they run on, and the schedule. */
export const processActs: Acts = {
  kill: {
    weight: 10,
    draw: (chance) => ({
      moment: chance.pick(["before", "within", "after"]),
      restartAfter: chance.pick([SECOND, MINUTE, 2 * HOUR]),
    }),
    apply: (scene, { moment, restartAfter }, caller) => {
      const process = victim(scene, caller);
      if (process) scene.crew.kill(process, moment as "before", Number(restartAfter));
    },
  },
  stop: {
    draw: () => ({}),
    apply: ({ world, crew }) => {
      world.trace.write("person", "sends SIGTERM to the workers");
      crew.restartWorkers();
    },
  },
  pause: {
    weight: 5,
    draw: (chance) => ({ for: chance.pick([10 * SECOND, 2 * MINUTE, 2 * HOUR, DAY]) }),
    apply: (scene, { for: duration }, caller) => {
      const process = victim(scene, caller);
      if (process === undefined || process.paused) return;
      scene.world.trace.write(process.name, "is paused");
      process.pause();
      later(scene, Number(duration), () => {
        scene.world.trace.write(process.name, "is resumed");
        process.resume();
      });
    },
  },
  "hangs and is relieved": {
    draw: (chance) => ({ for: chance.pick([3 * MINUTE, 10 * MINUTE, 2 * HOUR]) }),
    apply: (scene, { for: duration }, caller) => {
      const process = victim(scene, caller);
      if (process === undefined || process.paused) return;
      const { world, crew } = scene;
      world.trace.write(process.name, "is paused");
      process.pause();
      later(scene, 70 * SECOND, () => void crew.once("cron-relief"));
      later(scene, Number(duration), () => {
        world.trace.write(process.name, "is resumed");
        process.resume();
      });
    },
  },
  clock: {
    weight: 2,
    draw: (chance) => ({
      ms: chance.pick([-2 * HOUR, -10 * SECOND, 4 * MINUTE, HOUR, 3 * DAY]),
      for: chance.pick([MINUTE, HOUR, DAY]),
    }),
    apply: (scene, { ms, for: duration }, caller) => {
      const process = victim(scene, caller);
      if (process === undefined) return;
      scene.world.trace.write(process.name, `has a clock that is ${Number(ms) / SECOND} s ahead`);
      process.clockError = Number(ms);
      for (const { key } of scene.world.places) scene.world.observer.rotations.excusePeriod(key);
      later(scene, Number(duration), () => {
        process.clockError = 0;
        for (const { key } of scene.world.places) scene.world.observer.rotations.excusePeriod(key);
      });
    },
  },
  "another pass": {
    weight: 2,
    draw: () => ({}),
    apply: ({ crew }) => {
      void crew.once("cron-extra");
    },
  },
};
