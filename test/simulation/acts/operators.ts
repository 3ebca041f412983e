import type { Chance } from "../chance.ts";
import type { KeyPlan } from "../plan.ts";
import { type Acts, type Args, drawPlace, HOUR, later, placeAt, type Scene } from "./act.ts";

const ACTOR = "ann@laptop";

function drawCommand(chance: Chance, keys: readonly KeyPlan[]): Args {
  return { ...drawPlace(chance, keys), pick: chance.int(0, 9) };
}

/** The workers take the policy up as it is now: half of the time as they run, else started again. */
function takeUp({ crew }: Scene, args: Args): void {
  if (Number(args.pick) % 2 === 0) crew.reloadWorkers();
  else crew.restartWorkers();
}

/** Changes what the policy says of a key. */
function edit(
  scene: Scene,
  args: Args,
  change: (key: Record<string, unknown>) => Record<string, unknown> | undefined,
) {
  const { world } = scene;
  const place = placeAt(world, args);
  const before = world.policyKeys.get(place.key);
  if (before === undefined) return;
  const after = change(before);
  world.policyKeys.delete(place.key);
  if (after) world.policyKeys.set(String(after.name), after);
  world.observer.rotations.excusePeriod(place.key);
  world.trace.write("person", `edits the policy of ${place.key}: ${JSON.stringify(after ?? "removed")}`);
  takeUp(scene, args);
}

/** What people ask keyturn for, and how they change its policy. */
export const operatorActs: Acts = {
  "rotate --now": {
    weight: 5,
    draw: drawCommand,
    apply: ({ world, crew }, args) => {
      const { key } = placeAt(world, args);
      if (!world.policyKeys.has(key)) return;
      world.observer.rotations.excusePeriod(key);
      void crew.command("--now", key, [{ kind: "rotate", actor: ACTOR }]);
    },
  },
  "rotate rollback": {
    weight: 4,
    draw: drawCommand,
    apply: ({ world, crew }, args) => {
      const { key } = placeAt(world, args);
      if (!world.policyKeys.has(key)) return;
      world.observer.rotations.excusePeriod(key);
      void crew.command("rollback", key, [{ kind: "rollback", actor: ACTOR }]);
    },
  },
  "rotate approve": {
    weight: 3,
    draw: (chance, keys) => ({ ...drawCommand(chance, keys), without: chance.oneIn(3) }),
    apply: ({ world, crew }, args) => {
      const { key, services } = placeAt(world, args);
      if (!world.policyKeys.has(key)) return;
      const without = args.without
        ? services[Number(args.pick) % Math.max(1, services.length)]?.name
        : undefined;
      if (without !== undefined) world.observer.waived(key, without);
      void crew.command("approve", key, [
        { kind: "approve", actor: ACTOR, ...(without === undefined ? {} : { without }) },
      ]);
    },
  },
  "rotate revoke": {
    weight: 2,
    draw: (chance, keys) => ({ ...drawCommand(chance, keys), immediately: chance.oneIn(3) }),
    apply: ({ world, crew }, args) => {
      const { key } = placeAt(world, args);
      if (!world.policyKeys.has(key)) return;
      world.observer.revoking(key);
      if (args.immediately) world.counts.set("revoked at once", 1);
      world.observer.rotations.excusePeriod(key);
      void crew.command("revoke", key, [
        { kind: "revoke", actor: ACTOR, ...(args.immediately ? { immediately: true } : {}) },
      ]);
    },
  },
  "policy: timings": {
    draw: (chance, keys) => ({
      ...drawCommand(chance, keys),
      keep: chance.pick(["0s", "1h", "2d"]),
      onTimeout: chance.pick(["hold", "rollback"]),
      timeout: chance.pick(["10s", "1m"]),
    }),
    apply: (scene, args) =>
      edit(scene, args, (key) => ({
        ...key,
        confirm: { ...(key.confirm as object), timeout: args.timeout, onTimeout: args.onTimeout },
        retire: { ...(key.retire as object), keepDisabledFor: args.keep },
      })),
  },
  "policy: rename": {
    draw: drawCommand,
    apply: (scene, args) => {
      const place = placeAt(scene.world, args);
      const name = `${place.key.replace(/-r\d$/, "")}-r${args.pick}`;
      if (scene.world.policyKeys.has(name)) return;
      edit(scene, args, (key) => ({ ...key, name, formerly: [...(key.formerly as string[]), place.key] }));
      if (scene.world.policyKeys.has(name)) place.key = name;
    },
  },
  "policy: suspend": {
    draw: drawCommand,
    apply: (scene, args) => {
      edit(scene, args, (key) => ({ ...key, suspend: true }));
      later(scene, (Number(args.pick) + 1) * 5 * HOUR, () =>
        edit(scene, args, (key) => ({ ...key, suspend: false })),
      );
    },
  },
  "policy: remove": {
    draw: drawCommand,
    apply: (scene, args) => {
      const { world } = scene;
      const place = placeAt(world, args);
      const before = world.policyKeys.get(place.key);
      if (before === undefined || world.policyKeys.size < 2) return;
      edit(scene, args, () => undefined);
      world.removed.set(String(before.name), before);
      later(scene, (Number(args.pick) + 1) * 5 * HOUR, () => {
        world.removed.delete(String(before.name));
        world.policyKeys.set(String(before.name), before);
        takeUp(scene, args);
      });
    },
  },
  "rival installation": {
    draw: (chance, keys) => ({ ...drawCommand(chance, keys), takeOver: chance.oneIn(2) }),
    apply: ({ world, crew }, args) => {
      const { key } = placeAt(world, args);
      if (!world.policyKeys.has(key)) return;
      world.observer.rotations.excusePeriod(key);
      void crew.command(
        "--now of a rival",
        key,
        [
          ...(args.takeOver ? [{ kind: "take-over" as const, actor: "bob@laptop" }] : []),
          { kind: "rotate" as const, actor: "bob@laptop" },
        ],
        "rival",
      );
    },
  },
  "rotate --take-over": {
    draw: drawCommand,
    apply: ({ world, crew }, args) => {
      const { key } = placeAt(world, args);
      if (!world.policyKeys.has(key)) return;
      world.observer.rotations.excusePeriod(key);
      void crew.command("--now --take-over", key, [
        { kind: "take-over", actor: ACTOR },
        { kind: "rotate", actor: ACTOR },
      ]);
    },
  },
};
