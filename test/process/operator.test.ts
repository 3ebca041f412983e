import { describe, test } from "vitest";
import { session, sessions } from "./transcript.ts";
import { changingNothing } from "./unchanged.ts";
import { currentHash, currentKey, STUBBORN_BILLING, startWorld, withPolicy } from "./world.ts";

const QUIET = ["--log-level", "error"];
/** Billing never takes a new key up, and is not waited for long. */
const IMPATIENT = {
  ...STUBBORN_BILLING,
  ...withPolicy(
    "timeout: 5m, interval: 50ms, successThreshold: 2",
    "timeout: 2s, interval: 50ms, successThreshold: 1",
  ),
};

describe.concurrent("a consumer that never confirms", { timeout: 60_000 }, () => {
  test("holds the rotation with both keys alive, until a person lets it go on without that consumer", async ({
    expect,
  }) => {
    await using world = await startWorld(IMPATIENT);
    expect(await session(world, ["--now", "payments-api"])).toMatchInlineSnapshot(`
      "$ rotate --now payments-api
      payments-api: held: not confirmed in time: billing: BILLING/healthz (billing-1) still serves sha256:k1
        mend the consumer and it goes on by itself; or \`rotate approve payments-api --without CONSUMER\`, or \`rotate rollback payments-api\`
      | info: starts a rotation (asked for by ME@HOST)
      | info: writes down the exact name the new key will bear
      | info: creates the key "keyturn/default/payments-api/DATE/ID" at the provider and stages it in the store
      | info: key k2 answers and has the settings asked for
      | info: makes key k2 the store's current
      | warn: holds: not confirmed in time: billing: BILLING/healthz (billing-1) still serves sha256:k1
      exit 1"
    `);
    expect(world.sandbox.model.liveKeys().length).toBe(2);
    expect(
      await sessions(
        world,
        ["once", ...QUIET],
        ["status", "--exit-code"],
        ["approve", "payments-api", "--without", "biling"],
        ["approve", "payments-api", ...QUIET],
        ["approve", "payments-api", "--without", "billing", ...QUIET],
        ["approve", "payments-api"],
      ),
    ).toMatchInlineSnapshot(`
      "$ rotate once --log-level error
      payments-api: held: not confirmed in time: billing: BILLING/healthz (billing-1) still serves sha256:k1
        mend the consumer and it goes on by itself; or \`rotate approve payments-api --without CONSUMER\`, or \`rotate rollback payments-api\`
      1 held
      exit 1

      $ rotate status --exit-code
      KEY  STATE  AGE  CURRENT  LAST  NEXT
      payments-api  held at promoted  AGE  k1 LABEL  completed AGO  SOON (TIME)
        not confirmed in time: billing: BILLING/healthz (billing-1) still serves sha256:k2
        mend the consumer and it goes on by itself; or \`rotate approve payments-api --without CONSUMER\`, or \`rotate rollback payments-api\`
      exit 1

      $ rotate approve payments-api --without biling
      | rotate: payments-api has no consumer "biling"
      |   did you mean billing?
      exit 2

      $ rotate approve payments-api --log-level error
      approved; payments-api: held: not confirmed in time: billing: BILLING/healthz (billing-1) still serves sha256:k1
        mend the consumer and it goes on by itself; or \`rotate approve payments-api --without CONSUMER\`, or \`rotate rollback payments-api\`
      exit 1

      $ rotate approve payments-api --without billing --log-level error
      approved; payments-api: completed in TOOK; new key k1 is current; old key k2 deleted
      exit 0

      $ rotate approve payments-api
      payments-api: nothing waits for approval (ok)
      exit 1"
    `);
    expect(world.sandbox.model.liveKeys().map(({ hash }) => hash)).toEqual([currentHash(world)]);
  });

  test("is given the old key back by `rotate rollback`", async ({ expect }) => {
    await using world = await startWorld(IMPATIENT);
    const first = currentHash(world);
    await session(world, ["--now", "payments-api", ...QUIET]);
    expect(
      await sessions(world, ["rollback", "payments-api", ...QUIET], ["status", "--exit-code"]),
    ).toMatchInlineSnapshot(`
      "$ rotate rollback payments-api --log-level error
      payments-api: reverted: rollback asked for by ME@HOST
      exit 0

      $ rotate status --exit-code
      KEY  STATE  AGE  CURRENT  LAST  NEXT
      payments-api  ok  AGE  k1 LABEL  reverted AGO  SOON (TIME)
        reverted at TIME: rollback asked for by ME@HOST
      exit 0"
    `);
    expect(currentHash(world)).toBe(first);
    expect(world.sandbox.model.allKeys().map(({ hash }) => hash)).toEqual([first]);
  });

  test("makes the rotation revert by itself where the policy says rollback, which is a failure", async ({
    expect,
  }) => {
    await using world = await startWorld({
      ...STUBBORN_BILLING,
      ...withPolicy("timeout: 5m", "timeout: 6s, onTimeout: rollback"),
    });
    const first = currentHash(world);
    expect(
      await sessions(world, ["--now", "payments-api", ...QUIET], ["status", "--exit-code"]),
    ).toMatchInlineSnapshot(`
      "$ rotate --now payments-api --log-level error
      payments-api: reverted: not confirmed in time: billing: BILLING/healthz (billing-1) still serves sha256:k1
      exit 1

      $ rotate status --exit-code
      KEY  STATE  AGE  CURRENT  LAST  NEXT
      payments-api  failed  AGE  k1 LABEL  reverted AGO  SOON (TIME), retry
        not confirmed in time: billing: BILLING/healthz (billing-1) still serves sha256:k1
      exit 1"
    `);
    expect(world.sandbox.model.allKeys().map(({ hash }) => hash)).toEqual([first]);
  });
});

describe.concurrent("a consumer that is down", { timeout: 60_000 }, () => {
  test("keeps a rotation from starting", async ({ expect }) => {
    await using world = await startWorld({ policy: (yaml) => yaml.replace("every: 30d", "every: 1s") });
    const env = { BILLING_URL: "http://127.0.0.1:1" };
    await changingNothing(world, async () => {
      expect(await session(world, ["--now", "payments-api", ...QUIET], { env })).toMatchInlineSnapshot(`
        "$ rotate --now payments-api --log-level error
        payments-api: blocked: consumer billing is not well: 127.0.0.1:1/healthz no connection to 127.0.0.1:1 (ECONNREFUSED)
        exit 1"
      `);
      await world.sandbox.model.clock.sleep(1_000);
      expect(await session(world, ["once"], { env })).toMatchInlineSnapshot(`
        "$ rotate once
        payments-api: blocked: consumer billing is not well: 127.0.0.1:1/healthz no connection to 127.0.0.1:1 (ECONNREFUSED)
        1 blocked
        exit 1"
      `);
    });
    expect(await session(world, ["status"], { env })).toMatchInlineSnapshot(`
      "$ rotate status
      KEY  STATE  AGE  CURRENT  LAST  NEXT
      payments-api  blocked  AGE  k1 LABEL  completed AGO  SOON (TIME)
        consumer billing is not well: 127.0.0.1:1/healthz no connection to 127.0.0.1:1 (ECONNREFUSED)
      exit 0"
    `);
  });
});

describe.concurrent("rotate rollback, revoke and identify", { timeout: 60_000 }, () => {
  test("there is no way back to a key that is deleted, and no revoking without a yes", async ({ expect }) => {
    await using world = await startWorld();
    await changingNothing(world, async () => {
      expect(
        await sessions(
          world,
          ["rollback", "payments-api", ...QUIET],
          ["revoke", "payments-api"],
          ["revoke", "payments-ap", "--yes"],
        ),
      ).toMatchInlineSnapshot(`
        "$ rotate rollback payments-api --log-level error
        payments-api: failed: the previous key is deleted, so there is nothing to roll back to; \`rotate --now\` replaces the current key
        exit 1

        $ rotate revoke payments-api
        | rotate: revoking payments-api deletes its keys even where a consumer has not confirmed
        |   there is no terminal to ask on: add --yes if that is meant
        exit 2

        $ rotate revoke payments-ap --yes
        | rotate: the policy has no key "payments-ap"
        |   did you mean payments-api?
        exit 2"
      `);
    });
  });

  test("a revoked key is replaced and deleted, at once where that is asked; identify still knows it", async ({
    expect,
  }) => {
    await using world = await startWorld();
    const first = currentKey(world);
    expect(await session(world, ["identify"], { stdin: `${first}\n` })).toMatchInlineSnapshot(`
      "$ rotate identify
      payments-api: current, hash k1
      exit 0"
    `);
    expect(
      await sessions(
        world,
        ["revoke", "payments-api", "--yes", ...QUIET],
        ["revoke", "payments-api", "--yes", "--immediately", ...QUIET],
      ),
    ).toMatchInlineSnapshot(`
      "$ rotate revoke payments-api --yes --log-level error
      payments-api: completed in TOOK; new key k1 is current; old key k2 deleted
      exit 0

      $ rotate revoke payments-api --yes --immediately --log-level error
      payments-api: completed in TOOK; new key k1 is current; old key k2 deleted
      exit 0"
    `);
    expect(world.sandbox.model.allKeys().map(({ hash }) => hash)).toEqual([currentHash(world)]);
    expect(await session(world, ["identify"], { stdin: first })).toMatchInlineSnapshot(`
      "$ rotate identify
      payments-api: deleted, hash k1
      exit 0"
    `);
    expect(
      await session(world, ["identify", "--json"], { stdin: "sk-or-v1-found-somewhere" }),
    ).toMatchInlineSnapshot(`
      "$ rotate identify --json
      {
        "known": false,
        "fingerprint": "sha256:k1"
      }
      exit 1"
    `);
    expect(await session(world, ["identify"], { stdin: "" })).toMatchInlineSnapshot(`
      "$ rotate identify
      | rotate: no key was given on standard input
      |   paste it when asked, or: rotate identify < FILE
      exit 2"
    `);
  });
});
