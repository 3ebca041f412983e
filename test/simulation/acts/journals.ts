import { type Acts, DAY, HOUR, later, MINUTE } from "./act.ts";

/** Where the journal is kept. */
export const journalActs: Acts = {
  "journal full": {
    weight: 2,
    draw: (chance) => ({ what: chance.pick(["full", "busy"]), for: chance.pick([1_000, MINUTE, HOUR]) }),
    apply: (scene, { what, for: duration }) => {
      const { weather } = scene.world;
      weather.journal = what as "full" | "busy";
      later(scene, Number(duration), () => {
        weather.journal = undefined;
      });
    },
  },
  "journal restored": {
    draw: (chance) => ({ after: chance.pick([MINUTE, HOUR, 2 * DAY]) }),
    apply: (scene, { after }) => {
      const { world, crew } = scene;
      const restore = world.journal("prod").backup();
      later(scene, Number(after), () => {
        world.trace.write("person", "puts back an older copy of the journal");
        crew.killWorkers();
        restore();
        world.commits.forget();
        world.observer.journalForgot();
      });
    },
  },
  "journal lost": {
    draw: () => ({}),
    apply: ({ world, crew }) => {
      world.trace.write("person", "loses the journal");
      crew.killWorkers();
      world.journal("prod").lose();
      world.commits.forget();
      world.observer.journalForgot();
    },
  },
};
