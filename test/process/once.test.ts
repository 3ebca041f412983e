import { describe, test } from "vitest";
import { session } from "./transcript.ts";
import { startWorld } from "./world.ts";

describe.concurrent("rotate once", { timeout: 60_000 }, () => {
  test("starts nothing before its time, also when nothing may be started", async ({ expect }) => {
    await using world = await startWorld();
    expect(await session(world, ["once"])).toMatchInlineSnapshot(`
      "$ rotate once
      1 with nothing to do
      exit 0"
    `);
    expect(await session(world, ["once", "--no-start", "--json"])).toMatchInlineSnapshot(`
      "$ rotate once --no-start --json
      {
        "results": [
          {
            "key": "payments-api",
            "outcome": "idle",
            "message": "nothing to do"
          }
        ]
      }
      exit 0"
    `);
  });

  test("provisions the first key, once it may start anything", async ({ expect }) => {
    await using world = await startWorld({ provisioned: false });
    expect(await session(world, ["status"])).toMatchInlineSnapshot(`
      "$ rotate status
      KEY  STATE  AGE  CURRENT  LAST  NEXT
      payments-api  new  -  -  -  -
      exit 0"
    `);
    expect(await session(world, ["once", "--no-start"])).toMatchInlineSnapshot(`
      "$ rotate once --no-start
      1 with nothing to do
      exit 0"
    `);
    expect(await session(world, ["plan", "--exit-code"])).toMatchInlineSnapshot(`
      "$ rotate plan --exit-code
      payments-api  PROVISION  has no key yet
        1. stamps our name beside the secret  [claim]
        2. PROVISIONS a first key, because the secret has none (has no key yet)  [provision]
        3. creates the key "keyturn/default/payments-api/DATE/ID" at the provider and stages it in the store  [create]
        4. tries the new key at the provider and compares its settings  [verified]
        5. makes it current in local/payments-api by compare-and-swap  [promote]
        6. waits until every instance of payments, billing confirms 2 times in a row, at most 5m, then holds  [confirmed]
        calls: at least 5 of the provider; asks every consumer 2 times
      exit 3"
    `);
    expect(await session(world, ["once"])).toMatchInlineSnapshot(`
      "$ rotate once
      payments-api: completed in TOOK; new key k1 is current
      1 completed
      | info: stamps our name beside the secret
      | info: PROVISIONS a first key, because the secret has none (has no key yet)
      | info: writes down the exact name the new key will bear
      | info: creates the key "keyturn/default/payments-api/DATE/ID" at the provider and stages it in the store
      | info: key k1 answers and has the settings asked for
      | info: makes key k1 the store's current
      | info: every instance of every consumer uses the new key
      | info: the rotation is complete
      | info: has found no lost key of ours at the provider
      | info: next due at TIME
      exit 0"
    `);
  });

  test("rotates a key that is due by its schedule", async ({ expect }) => {
    await using world = await startWorld({ policy: (yaml) => yaml.replace("every: 30d", "every: 5s") });
    await world.sandbox.model.clock.sleep(5_100);
    expect(await session(world, ["once"])).toMatchInlineSnapshot(`
      "$ rotate once
      payments-api: completed in TOOK; new key k1 is current; old key k2 deleted
      1 completed
      | info: next due at TIME
      | info: starts a rotation (due by the schedule)
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
  });
});
