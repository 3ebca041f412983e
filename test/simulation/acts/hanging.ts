import { type Acts, drawPlace, HOUR, later, MINUTE, placeAt, SECOND } from "./act.ts";

const SITES: Record<string, RegExp> = {
  "a promotion": /^(local\.promote|aws\.updateSecretVersionStage)$/,
  "a disable": /^provider PATCH /,
  "a delete": /^provider DELETE /,
};

/** A process that hangs with a change on its way, which lands long after others have carried on. */
export const hangingActs: Acts = {
  "change hangs": {
    draw: (chance, keys) => ({
      ...drawPlace(chance, keys),
      site: chance.pick(Object.keys(SITES)),
      meanwhile: chance.pick(["rollback", "the new key ends", "nothing"]),
      for: chance.pick([10 * MINUTE, 2 * HOUR]),
    }),
    apply: (scene, args) => {
      const { world, crew } = scene;
      world.await(SITES[String(args.site)] as RegExp, (caller) => {
        if (caller.paused) return;
        world.trace.write(caller.name, "is paused");
        caller.pause();
        if (args.meanwhile === "the new key ends") {
          const newest = world.provider.allKeys().findLast(({ name }) => name.startsWith("keyturn/prod/"));
          if (newest)
            world.observer.byPerson(() => void world.provider.update(newest.hash, { disabled: true }));
        }
        later(scene, 70 * SECOND, () => void crew.once("cron-relief"));
        later(scene, 5 * MINUTE, () => {
          const { key } = placeAt(world, args);
          if (args.meanwhile !== "rollback" || !world.policyKeys.has(key)) return;
          world.observer.rotations.excusePeriod(key);
          void crew.command("rollback", key, [{ kind: "rollback", actor: "ann@laptop" }]);
        });
        later(scene, Number(args.for), () => {
          world.trace.write(caller.name, "is resumed");
          caller.resume();
        });
      });
    },
  },
};
