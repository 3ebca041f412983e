import { createHash } from "node:crypto";
import { OTHER_ACCOUNT } from "../observer.ts";
import { type Acts, DAY, drawPlace, HOUR, later, MINUTE, placeAt, SECOND } from "./act.ts";

const OPERATIONS = ["create", "update", "delete", "get", "list", "current", "*"];
const FAULTS = [
  "lost-reply",
  "late",
  "reset",
  "timeout",
  "truncated",
  "wrong-body",
  "not-json",
  "endless",
  "twice",
  "redirect",
  "500",
  "409",
  "429",
  "429-retry-after-20",
  "429-retry-after-300",
  "html-502",
  "done-500",
  "404",
];
const DELAYS = ["activationDelay", "disableDelay", "enableDelay", "deleteDelay", "listDelay"] as const;

/** The provider, its wire, and what people do at its site. */
export const providerActs: Acts = {
  "provider fault": {
    weight: 8,
    draw: (chance) => ({
      operation: chance.pick(OPERATIONS),
      fault: chance.pick(FAULTS),
      times: chance.pick([1, 1, 2, 5]),
    }),
    apply: ({ world }, { operation, fault, times }) => {
      if (fault === "late") world.counts.set("late replies", 1);
      // A 404 is about one key; elsewhere it would mean another API.
      const where = fault === "404" ? "delete" : operation;
      world.faults.add(`${where}:${fault}:${times}`);
    },
  },
  "provider delay": {
    weight: 3,
    draw: (chance) => ({
      knob: chance.pick(DELAYS),
      ms: chance.pick([2 * SECOND, 20 * SECOND, 5 * MINUTE]),
      for: chance.pick([HOUR, DAY]),
    }),
    apply: (scene, { knob, ms, for: duration }) => {
      const { knobs } = scene.world.provider;
      knobs[knob as (typeof DELAYS)[number]] = Number(ms);
      later(scene, Number(duration), () => {
        knobs[knob as (typeof DELAYS)[number]] = 0;
      });
    },
  },
  "create unanswered and unlisted": {
    draw: (chance) => ({
      fault: chance.pick(["lost-reply", "done-500", "truncated"]),
      ms: chance.pick([20 * SECOND, 5 * MINUTE]),
      for: chance.pick([HOUR, DAY]),
    }),
    apply: (scene, { fault, ms, for: duration }) => {
      const { faults, provider } = scene.world;
      faults.add(`create:${fault}:1`);
      provider.knobs.listDelay = Number(ms);
      later(scene, Number(duration), () => {
        provider.knobs.listDelay = 0;
      });
    },
  },
  "provider outage": {
    draw: (chance) => ({ for: chance.pick([MINUTE, 20 * MINUTE, 6 * HOUR]) }),
    apply: (scene, { for: duration }) => {
      scene.world.weather.providerDown = true;
      later(scene, Number(duration), () => {
        scene.world.weather.providerDown = false;
      });
    },
  },
  "management key": {
    draw: (chance) => ({
      becomes: chance.pick(["revoked", "another account's"]),
      for: chance.pick([HOUR, DAY]),
    }),
    apply: (scene, { becomes, for: duration }) => {
      const { world } = scene;
      const right = world.rightManagementKey;
      if (becomes === "revoked") world.provider.revokeManagementKey(right);
      else world.managementKey = world.provider.addManagementKey(undefined, OTHER_ACCOUNT);
      later(scene, Number(duration), () => {
        world.managementKey = world.provider.addManagementKey(right.reveal());
      });
    },
  },
  "person ends a key": {
    draw: (chance, keys) => ({
      ...drawPlace(chance, keys),
      which: chance.pick(["current", "any of ours"]),
      how: chance.pick(["disables", "deletes"]),
      pick: chance.int(0, 99),
    }),
    apply: ({ world }, args) => {
      const place = placeAt(world, args);
      const value = world.value(place);
      const ours = world.provider.allKeys().filter(({ name }) => name.startsWith("keyturn/"));
      const hash =
        args.which === "current"
          ? value && createHash("sha256").update(value).digest("hex")
          : ours[Number(args.pick) % Math.max(1, ours.length)]?.hash;
      if (hash === undefined) return;
      world.observer.byPerson(() => {
        if (args.how === "deletes") world.provider.delete(hash);
        else world.provider.update(hash, { disabled: true });
      });
      world.observer.excused.add(hash);
      world.observer.rotations.excusePeriod(place.key);
    },
  },
  "look-alike": {
    draw: (chance, keys) => ({ ...drawPlace(chance, keys), form: chance.int(0, 2) }),
    apply: ({ world }, args) => {
      const { key } = placeAt(world, args);
      const newest = world.provider.allKeys().findLast(({ name }) => name.startsWith("keyturn/prod/"));
      const forms = [
        `keyturn/prod/${key}/2026-01-01/000000000000`,
        `${newest?.name ?? key}x`,
        `Keyturn ${key}`,
      ];
      world.bystander(forms[Number(args.form)] as string);
    },
  },
};
