import {
  landsLate,
  lostAnswer,
  lostRace,
  serverError,
  timeout,
  tooManyRequests,
  unreachable,
} from "../../kubernetes/model/faults.ts";
import type { World } from "../world.ts";
import { type Acts, DAY, drawPlace, HOUR, later, MINUTE, placeAt, SECOND } from "./act.ts";

const VERBS = ["get", "change", "change", "create"];
const RESOURCES = ["secrets", "secrets", "configmaps", "leases"];
const TROUBLES = ["conflict", "429", "500", "unreachable", "no answer", "answer lost", "late"];

/** Secrets are patched, what the journal consists of is replaced. */
function verbOf(verb: unknown, resource: unknown): string {
  if (verb !== "change") return String(verb);
  return resource === "secrets" ? "patch" : "update";
}

function effectOf({ cluster, counts }: World, trouble: string) {
  if (trouble === "late") counts.set("late replies", 1);
  return (
    {
      conflict: lostRace,
      "429": tooManyRequests(),
      "500": serverError,
      "no answer": timeout,
      "answer lost": lostAnswer,
      late: landsLate(cluster.model, 30_000),
    }[trouble] ?? unreachable
  );
}

/** The cluster in which Secrets and journals are. */
export const clusterActs: Acts = {
  "cluster trouble": {
    weight: 6,
    draw: (chance) => ({
      verb: chance.pick(VERBS),
      resource: chance.pick(RESOURCES),
      trouble: chance.pick(TROUBLES),
      times: chance.pick([1, 1, 2, 5]),
    }),
    apply: ({ world }, { verb, resource, trouble, times }) =>
      world.cluster.trouble(
        { verb: verbOf(verb, resource), resource: String(resource) },
        effectOf(world, String(trouble)),
        Number(times),
      ),
  },
  "cluster down": {
    draw: (chance) => ({ for: chance.pick([10 * SECOND, 2 * MINUTE, HOUR, DAY]) }),
    apply: (scene, { for: duration }) => later(scene, Number(duration), scene.world.cluster.down()),
  },
  "cluster forbids": {
    draw: (chance) => ({
      verb: chance.pick(VERBS),
      resource: chance.pick(RESOURCES),
      for: chance.pick([MINUTE, 3 * HOUR]),
    }),
    apply: (scene, { verb, resource, for: duration }) => {
      const { cluster } = scene.world;
      const rule = { resources: [String(resource)], verbs: [verbOf(verb, resource)] };
      for (const user of cluster.users) cluster.model.access.deny({ ...rule, user });
      later(scene, Number(duration), () => cluster.model.access.lift());
    },
  },
  "token expired": {
    draw: (chance) => ({ for: chance.pick([MINUTE, 3 * HOUR]) }),
    apply: (scene, { for: duration }) => {
      const { model, users } = scene.world.cluster;
      for (const user of users) model.access.refuse(user);
      later(scene, Number(duration), () => {
        for (const user of users) model.access.accept(user);
      });
    },
  },
  "pods evicted": {
    weight: 2,
    draw: (chance) => ({ grace: chance.pick([0, SECOND, 30 * SECOND]) }),
    apply: ({ world, crew }, { grace }) => {
      world.trace.write("cluster", "evicts the pods of the workers");
      crew.evict(Number(grace));
    },
  },
  "somebody labels the secret": {
    weight: 2,
    draw: (chance, keys) => ({ ...drawPlace(chance, keys), value: chance.int(0, 9_999) }),
    apply: ({ world }, args) => {
      const { store, secret } = placeAt(world, args);
      if (store === "cluster") world.cluster.label(secret, String(args.value));
    },
  },
  "secret made anew": {
    draw: drawPlace,
    apply: ({ world }, args) => {
      const place = placeAt(world, args);
      if (place.store !== "cluster") return;
      world.cluster.makeAnew(place.secret);
      world.observer.madeAnew(place);
    },
  },
};
