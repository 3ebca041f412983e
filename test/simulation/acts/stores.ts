import type { Trouble } from "../weather.ts";
import { type Acts, DAY, drawPlace, HOUR, later, MINUTE, placeAt, SECOND } from "./act.ts";

const LOCAL: { site: string; trouble: Trouble }[] = [
  ...["observe", "stage", "read", "promote", "drop", "claim", "fence"].flatMap((method) => [
    { site: method, trouble: "busy" as const },
    { site: method, trouble: "lost" as const },
  ]),
  { site: "stage", trouble: "full" },
  { site: "promote", trouble: "full" },
  { site: "promote", trouble: "late" },
  { site: "stage", trouble: "late" },
  { site: "promote", trouble: "twice" },
];
const AWS_CALLS = [
  "describeSecret",
  "getSecretValue",
  "putSecretValue",
  "updateSecretVersionStage",
  "tagResource",
];
const AWS_TROUBLES: Trouble[] = ["unreachable", "busy", "lost", "late", "twice", "full"];

/** Stores, their wire, and what people write into secrets. */
export const storeActs: Acts = {
  "local store trouble": {
    weight: 3,
    draw: (chance) => ({ ...chance.pick(LOCAL) }),
    apply: ({ world }, { site, trouble }) => {
      if (trouble === "late") world.counts.set("late replies", 1);
      world.weather.add(new RegExp(`^local\\.${site}$`), trouble as Trouble);
    },
  },
  "disk full": {
    draw: (chance) => ({ what: chance.pick(["full", "forbidden"]), for: chance.pick([MINUTE, HOUR]) }),
    apply: (scene, { what, for: duration }) => {
      const { weather } = scene.world;
      weather.local = what as "full" | "forbidden";
      later(scene, Number(duration), () => {
        weather.local = undefined;
      });
    },
  },
  "aws trouble": {
    weight: 4,
    draw: (chance) => ({ site: chance.pick(AWS_CALLS), trouble: chance.pick(AWS_TROUBLES) }),
    apply: ({ world }, { site, trouble }) => {
      if (trouble === "late") world.counts.set("late replies", 1);
      world.weather.add(new RegExp(`^aws\\.${site}$`), trouble as Trouble);
    },
  },
  "aws lag": {
    draw: (chance) => ({
      describe: chance.pick([0, 2 * SECOND, 20 * SECOND]),
      get: chance.pick([0, 2 * SECOND, 20 * SECOND]),
      for: chance.pick([HOUR, DAY]),
    }),
    apply: (scene, { describe, get, for: duration }) => {
      const { knobs } = scene.world.aws;
      knobs.describeLag = Number(describe);
      knobs.getLag = Number(get);
      later(scene, Number(duration), () => {
        knobs.describeLag = 0;
        knobs.getLag = 0;
      });
    },
  },
  "aws denied": {
    draw: (chance) => ({
      action: chance.pick([
        "kms:Decrypt",
        "kms:GenerateDataKey",
        "secretsmanager:PutSecretValue",
        "secretsmanager:UpdateSecretVersionStage",
        "secretsmanager:DescribeSecret",
      ]),
      for: chance.pick([MINUTE, 3 * HOUR]),
    }),
    apply: (scene, { action, for: duration }) => {
      const { denied } = scene.world.aws.knobs;
      denied.add(String(action));
      later(scene, Number(duration), () => denied.delete(String(action)));
    },
  },
  "aws deletion": {
    draw: (chance, keys) => ({ ...drawPlace(chance, keys), for: chance.pick([10 * MINUTE, DAY]) }),
    apply: (scene, args) => {
      const { aws } = scene.world;
      const { store, secret } = placeAt(scene.world, args);
      if (store !== "aws" || aws.secret(secret) === undefined || aws.secret(secret)?.deletionAt) return;
      scene.world.awsByHand("DeleteSecret", { SecretId: secret, RecoveryWindowInDays: 30 });
      later(scene, Number(args.for), () => {
        if (aws.secret(secret)?.deletionAt) scene.world.awsByHand("RestoreSecret", { SecretId: secret });
      });
    },
  },
  "aws rotation of others": {
    draw: (chance, keys) => ({ ...drawPlace(chance, keys), for: chance.pick([MINUTE, DAY]) }),
    apply: (scene, args) => {
      const { aws, chance } = scene.world;
      const { store, secret } = placeAt(scene.world, args);
      const text = aws.current(secret);
      if (store !== "aws" || text === undefined || aws.secret(secret)?.deletionAt) return;
      const ClientRequestToken = `other-${Buffer.from(chance.bytes(16)).toString("hex")}`;
      scene.world.awsByHand("PutSecretValue", {
        SecretId: secret,
        ClientRequestToken,
        SecretString: text,
        VersionStages: ["AWSPENDING"],
      });
      later(scene, Number(args.for), () => {
        const bearer = aws.secret(secret)?.labels.AWSPENDING;
        if (bearer === undefined || aws.secret(secret)?.deletionAt) return;
        scene.world.awsByHand("UpdateSecretVersionStage", {
          SecretId: secret,
          VersionStage: "AWSPENDING",
          RemoveFromVersionId: bearer,
        });
      });
    },
  },
  "person edits another field": {
    weight: 2,
    draw: (chance, keys) => ({ ...drawPlace(chance, keys), text: chance.int(0, 9999) }),
    apply: ({ world }, args) => {
      const place = placeAt(world, args);
      if (place.field !== undefined) world.write(place, "OTHER", `edited ${args.text}`);
    },
  },
  "person writes the key": {
    weight: 2,
    draw: (chance, keys) => ({
      ...drawPlace(chance, keys),
      what: chance.pick([
        "a key made by hand",
        "a key made by hand",
        "what was there before",
        "a placeholder",
      ]),
    }),
    apply: ({ world }, args) => {
      const place = placeAt(world, args);
      const before = world.observer.replaced(place);
      const value =
        args.what === "a placeholder"
          ? "TODO"
          : args.what === "what was there before" && before !== undefined
            ? before
            : world.bystander("written by hand");
      world.write(place, place.field, value);
      world.observer.rotations.excusePeriod(place.key);
    },
  },
};
