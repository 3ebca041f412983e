import { type SpawnSyncOptions, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { open } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sessions } from "./transcript.ts";
import { changingNothing } from "./unchanged.ts";
import { CLI, currentHash, rotate, startWorld, type World, withPolicy } from "./world.ts";

describe.concurrent("commands that read", () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld();
  });
  afterAll(() => world[Symbol.asyncDispose]());

  const run = (...commands: string[][]) => changingNothing(world, () => sessions(world, ...commands));

  test("status shows a key that is well", async ({ expect }) => {
    expect(await run(["status"], ["status", "payments-api", "--json", "--exit-code"])).toMatchInlineSnapshot(`
      "$ rotate status
      KEY  STATE  AGE  CURRENT  LAST  NEXT
      payments-api  ok  AGE  k1 LABEL  completed AGO  SOON (TIME)
      exit 0

      $ rotate status payments-api --json --exit-code
      {
        "keys": [
          {
            "key": "payments-api",
            "target": "local/payments-api",
            "field": "OPENROUTER_API_KEY",
            "provider": "openrouter",
            "state": "ok",
            "drift": [],
            "current": {
              "hash": "k1",
              "fingerprint": "sha256:k1",
              "since": "TIME",
              "label": "LABEL",
              "createdAt": "TIME"
            },
            "last": {
              "rotation": "r1",
              "kind": "provision",
              "outcome": "completed",
              "at": "TIME"
            },
            "next": {
              "at": "TIME",
              "why": "schedule"
            },
            "retiring": []
          }
        ]
      }
      exit 0"
    `);
  });

  test("plan says that there is nothing to do, and when there will be", async ({ expect }) => {
    expect(await run(["plan", "--exit-code"], ["plan", "payments-api", "--json"])).toMatchInlineSnapshot(`
      "$ rotate plan --exit-code
      payments-api  NOTHING  next at TIME
      exit 0

      $ rotate plan payments-api --json
      {
        "keys": [
          {
            "key": "payments-api",
            "target": "local/payments-api",
            "verb": "NOTHING",
            "why": "next at TIME",
            "steps": [],
            "warnings": []
          }
        ],
        "warnings": []
      }
      exit 0"
    `);
  });

  test("validate says how many keys a valid policy has", async ({ expect }) => {
    expect(await run(["validate"], ["validate", "--json"])).toMatchInlineSnapshot(`
      "$ rotate validate
      DIR/rotation.yaml is valid: 1 key
      exit 0

      $ rotate validate --json
      {
        "valid": true,
        "faults": [],
        "warnings": []
      }
      exit 0"
    `);
  });

  test("history tells every step of a key, oldest first; of an unknown one that there is none", async ({
    expect,
  }) => {
    expect(
      await run(["history", "payments-api"], ["history", "--limit", "1", "--json"], ["history", "unknown"]),
    ).toMatchInlineSnapshot(`
      "$ rotate history payments-api
      TIME  payments-api  claimed  stamps our name beside the secret (schedule)
      TIME  payments-api  start  PROVISIONS a first key, because the secret has none (has no key yet) (schedule, r1)
      TIME  payments-api  intend  writes down the exact name the new key will bear (schedule, r1)
      TIME  payments-api  create-sent  creates the key "keyturn/default/payments-api/DATE/ID" at the provider and stages it in the store (schedule, r1)
      TIME  payments-api  created  created key k1 (schedule, r1)
      TIME  payments-api  staged  creates the key "keyturn/default/payments-api/DATE/ID" at the provider and stages it in the store (schedule, r1)
      TIME  payments-api  verified  key k1 answers and has the settings asked for (schedule, r1)
      TIME  payments-api  promoted  makes key k1 the store's current (schedule, r1)
      TIME  payments-api  confirmed  every instance of every consumer uses the new key (schedule, r1)
      TIME  payments-api  completed  the rotation is complete (schedule, r1)
      TIME  payments-api  schedule  next due at TIME (schedule)
      exit 0

      $ rotate history --limit 1 --json
      {
        "events": [
          {
            "seq": 12,
            "at": "TIME",
            "target": "local/payments-api",
            "key": "payments-api",
            "epoch": 1,
            "actor": "schedule",
            "kind": "schedule",
            "reason": "scheduled",
            "message": "next due at TIME"
          }
        ]
      }
      exit 0

      $ rotate history unknown
      no events
      exit 0"
    `);
  });
});

test("a suspended key is left alone, whoever asks", async () => {
  await using world = await startWorld(withPolicy("    schedule:", "    suspend: true\n    schedule:"));
  const named = ["--now", "payments-api", "--log-level", "error"];
  expect(
    await changingNothing(world, () => sessions(world, ["--now"], named, ["status"], ["plan"])),
  ).toMatchInlineSnapshot(`
    "$ rotate --now
    nothing to rotate: every key of the policy is suspended
    exit 0

    $ rotate --now payments-api --log-level error
    payments-api: blocked: suspended in the policy (suspend: true)
    exit 1

    $ rotate status
    KEY  STATE  AGE  CURRENT  LAST  NEXT
    payments-api  suspended  AGE  k1 LABEL  completed AGO  SOON (TIME)
    exit 0

    $ rotate plan
    payments-api  NOTHING  suspended in the policy (suspend: true)
    exit 0"
  `);
});

test("a reader that goes away early (`| head`) harms neither a report nor a rotation", async () => {
  await using world = await startWorld();
  const first = currentHash(world);
  for (const args of [["history"], ["--now", "payments-api", "--log-level", "error"]]) {
    const { status, stderr } = await rotate(world, args, { deaf: true });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  }
  expect(currentHash(world)).not.toBe(first);
  expect(world.sandbox.model.allKeys().length).toBe(1);
});

test.skipIf(!existsSync("/dev/full"))(
  "a result that cannot be written fails and says so, and an export can be had again",
  async () => {
    await using world = await startWorld();
    await using full = await open("/dev/full", "w");
    for (const args of [["--version"], ["status"], ["journal", "export"]]) {
      const options = { env: world.env, stdio: ["ignore", full.fd, "pipe"] } satisfies SpawnSyncOptions;
      const { status, stderr } = spawnSync(process.execPath, [CLI, ...args], options);
      expect(status).toBe(1);
      expect(String(stderr)).toBe(
        "rotate: what there is to say cannot be written (ENOSPC)\n" +
          "  make room where the output goes, and run the same again\n",
      );
    }
    const again = await rotate(world, ["journal", "export"]);
    expect(again.status).toBe(0);
    expect(again.stdout).toContain('"target":"local/payments-api"');
  },
);
