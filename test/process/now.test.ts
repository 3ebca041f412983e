import { describe, test } from "vitest";
import { readable, session, sessions, stable } from "./transcript.ts";
import { changingNothing } from "./unchanged.ts";
import { applyKey, rotate, STUBBORN_BILLING, startWorld, withPolicy } from "./world.ts";

describe.concurrent("rotate --now", { timeout: 60_000 }, () => {
  test("rotates the named key and logs a line a step; the answer on standard output is one line", async ({
    expect,
  }) => {
    await using world = await startWorld();
    expect(await session(world, ["--now", "payments-api"])).toMatchInlineSnapshot(`
      "$ rotate --now payments-api
      payments-api: completed in TOOK; new key k1 is current; old key k2 deleted
      | info: starts a rotation (asked for by ME@HOST)
      | info: writes down the exact name the new key will bear
      | info: creates the key "keyturn/default/payments-api/DATE/ID" at the provider and stages it in the store
      | info: key k1 answers and has the settings asked for
      | info: makes key k1 the store's current
      | info: every instance of every consumer uses the new key
      | info: disables the old key k2 at the provider
      | info: the provider refuses the old key k2
      | info: the rotation is complete
      | info: deletes key k2 at the provider (replaced in rotation r1)
      | info: key k2 is deleted; its plaintext leaves the store
      | info: has found no lost key of ours at the provider
      | info: next due at TIME
      exit 0"
    `);
    expect(await session(world, ["--now", "--json", "--log-level", "error"])).toMatchInlineSnapshot(`
      "$ rotate --now --json --log-level error
      {
        "results": [
          {
            "key": "payments-api",
            "outcome": "deleted",
            "message": "rotated",
            "rotation": "r1",
            "kind": "rotate",
            "tookMs": TOOK,
            "oldHash": "k1",
            "newHash": "k2"
          }
        ]
      }
      exit 0"
    `);
  });

  test("shows what it would do with --dry-run, and does nothing", async ({ expect }) => {
    await using world = await startWorld();
    expect(
      await changingNothing(world, () => session(world, ["--now", "payments-api", "--dry-run"])),
    ).toMatchInlineSnapshot(`
      "$ rotate --now payments-api --dry-run
      payments-api  ROTATE  asked for by --now
        1. starts a rotation (asked for by --now)  [rotate]
        2. creates the key "keyturn/default/payments-api/DATE/ID" at the provider and stages it in the store  [create]
        3. tries the new key at the provider and compares its settings  [verified]
        4. makes it current in local/payments-api by compare-and-swap  [promote]
        5. waits until every instance of payments, billing confirms 2 times in a row, at most 5m, then holds  [confirmed]
        6. disables the old key and sees it refused  [disable]
        7. watches the consumers for 100ms  [watch]
        8. deletes the old key's hash  [retire-delete]
        calls: at least 10 of the provider; asks every consumer 5 times
      exit 0"
    `);
  });

  test("rotates every key that is not suspended when none is named, in the policy's order", async ({
    expect,
  }) => {
    const more = `  - name: reports
    provider: openrouter
    schedule: none
    store: { use: local, secret: reports }
    consumers: none
    retire: { after: 100ms, watch: 0s }
  - name: archive
    provider: openrouter
    schedule: none
    suspend: true
    store: { use: local, secret: archive }
    consumers: none
    retire: { after: 1h }
`;
    await using world = await startWorld({ policy: (yaml) => yaml + more });
    const quiet = ["--log-level", "error"];
    expect(
      await sessions(world, ["--now", ...quiet], ["--now", "reports", "payments-api", ...quiet], ["status"]),
    ).toMatchInlineSnapshot(`
      "$ rotate --now --log-level error
      payments-api: completed in TOOK; new key k1 is current; old key k2 deleted
      reports: completed in TOOK; new key k3 is current
      exit 0

      $ rotate --now reports payments-api --log-level error
      reports: completed in TOOK; new key k1 is current; old key k2 deleted
      payments-api: completed in TOOK; new key k3 is current; old key k4 deleted
      exit 0

      $ rotate status
      KEY  STATE  AGE  CURRENT  LAST  NEXT
      payments-api  ok  AGE  k1 LABEL  completed AGO  SOON (TIME)
      reports  ok  AGE  k2 LABEL  completed AGO  -
      archive  suspended  -  -  -  -
      exit 0"
    `);
  });

  test("says when the old key will be deleted and what must run then; waiting for that past the deadline is 3", async ({
    expect,
  }) => {
    await using world = await startWorld(withPolicy("watch: 100ms", "watch: 0s, keepDisabledFor: 1h"));
    const quiet = ["--log-level", "error"];
    expect(
      await sessions(
        world,
        ["--now", "payments-api", "--until", "deleted", ...quiet],
        ["once", ...quiet],
        ["once", "--exit-code", ...quiet],
        ["status"],
        ["plan"],
        ["rollback", "payments-api", ...quiet],
      ),
    ).toMatchInlineSnapshot(`
      "$ rotate --now payments-api --until deleted --log-level error
      payments-api: completed in TOOK; new key k1 is current; old key k2 will be deleted at TIME: keep "rotate worker" or "rotate once" running until then
      exit 3

      $ rotate once --log-level error
      payments-api: waiting: key k1 is disabled and will be deleted
      1 waiting
      exit 0

      $ rotate once --exit-code --log-level error
      payments-api: waiting: key k1 is disabled and will be deleted
      1 waiting
      exit 3

      $ rotate status
      KEY  STATE  AGE  CURRENT  LAST  NEXT
      payments-api  ok  AGE  k1 LABEL  completed AGO  SOON (TIME)
        old key k2 LABEL: disabled, to be deleted SOON (TIME)
      exit 0

      $ rotate plan
      payments-api  NOTHING  waits: key k1 is disabled and will be deleted
      exit 0

      $ rotate rollback payments-api --log-level error
      payments-api: rolled back in TOOK; key k1 is current again; key k2 will be deleted at TIME: keep "rotate worker" or "rotate once" running until then
      exit 0"
    `);
  });

  test("at its deadline leaves the rotation in flight with 3; a later run carries it on to its end", async ({
    expect,
  }) => {
    await using world = await startWorld({
      ...STUBBORN_BILLING,
      ...withPolicy("successThreshold: 2", "successThreshold: 1"),
    });
    const quiet = ["--log-level", "error"];
    expect(
      await sessions(
        world,
        ["--now", "payments-api", "--deadline", "6s", ...quiet],
        ["once", "--deadline", "4s", ...quiet],
        ["once", "--deadline", "4s", "--no-start", "--exit-code", ...quiet],
        ["status"],
        ["plan"],
      ),
    ).toMatchInlineSnapshot(`
      "$ rotate --now payments-api --deadline 6s --log-level error
      payments-api: waiting: promoted; billing: BILLING/healthz (billing-1) still serves sha256:k1
        \`rotate once\` or \`rotate worker\` carries it on
      exit 3

      $ rotate once --deadline 4s --log-level error
      payments-api: waiting: promoted; billing: BILLING/healthz (billing-1) still serves sha256:k1
      1 waiting
      exit 0

      $ rotate once --deadline 4s --no-start --exit-code --log-level error
      payments-api: waiting: promoted; billing: BILLING/healthz (billing-1) still serves sha256:k1
      1 waiting
      exit 3

      $ rotate status
      KEY  STATE  AGE  CURRENT  LAST  NEXT
      payments-api  rotating: promoted  AGE  k1 LABEL  completed AGO  SOON (TIME)
        waits for consumers to confirm: payments, billing, until TIME (SOON)
      exit 0

      $ rotate plan
      payments-api  CONTINUE  waits: billing: BILLING/healthz (billing-1) still serves sha256:k1
      exit 0"
    `);
    await applyKey(world, "billing");
    expect(await session(world, ["--now", "payments-api"])).toMatchInlineSnapshot(`
      "$ rotate --now payments-api
      payments-api: completed in TOOK; new key k1 is current; old key k2 deleted
      | info: carries on with the rotation in flight
      | info: every instance of every consumer uses the new key
      | info: disables the old key k2 at the provider
      | info: the provider refuses the old key k2
      | info: the rotation is complete
      | info: deletes key k2 at the provider (replaced in rotation r1)
      | info: key k2 is deleted; its plaintext leaves the store
      | info: has found no lost key of ours at the provider
      | info: next due at TIME
      exit 0"
    `);
  });

  test("upon SIGTERM finishes the step in hand and ends with 3; a later run carries on", async ({
    expect,
  }) => {
    await using world = await startWorld(STUBBORN_BILLING);
    const ended = await rotate(world, ["--now", "payments-api"], {
      started: (child) =>
        child.stderr?.on("data", (chunk) => {
          if (String(chunk).includes("still serves")) child.kill("SIGTERM");
        }),
    });
    expect(ended.status).toBe(3);
    expect(
      stable(world, [ended.stdout, ...readable(ended.stderr).slice(-1)].join("\n")),
    ).toMatchInlineSnapshot(`
      "payments-api: waiting: promoted; stopped after the step in hand
        \`rotate once\` or \`rotate worker\` carries it on

      info: SIGTERM received; finishing the step in hand (once more to stop at once)"
    `);
    await applyKey(world, "billing");
    expect(await session(world, ["once", "--log-level", "error"])).toMatchInlineSnapshot(`
      "$ rotate once --log-level error
      payments-api: completed in TOOK; new key k1 is current; old key k2 deleted
      1 completed
      exit 0"
    `);
  });
});
