import { existsSync } from "node:fs";
import { rm, truncate } from "node:fs/promises";
import { describe, test } from "vitest";
import { session } from "./transcript.ts";
import { currentHash, rotate, startWorker, startWorld, type World } from "./world.ts";

const NOW = ["--now", "payments-api", "--log-level", "error"];

const pathOf = ({ env }: World) => env.KEYTURN_JOURNAL as string;

/** What the consumers read, and the provider's keys, oldest first. */
function keysOf(world: World) {
  const keys = world.sandbox.model.allKeys().map(({ hash, disabled }) => ({ hash, disabled }));
  return { current: currentHash(world), keys };
}

/** Every file of the journal but those named by their endings. */
async function lose(world: World, ...but: string[]): Promise<void> {
  for (const ending of ["", "-wal", "-shm", ".holders"])
    if (!but.includes(ending)) await rm(`${pathOf(world)}${ending}`, { recursive: true, force: true });
}

describe.concurrent("a journal lost between two runs", { timeout: 90_000 }, () => {
  test("in the middle of a rotation: nothing is touched until a take-over, which says what it could not decide", async ({
    expect,
  }) => {
    await using world = await startWorld();
    const killed = await rotate(world, NOW, { killAt: "rename:1:after" });
    expect(killed.signal).toBe("SIGKILL");
    const left = keysOf(world).keys.find(({ hash }) => hash !== currentHash(world))?.hash;
    await lose(world);
    const before = keysOf(world);
    expect(await session(world, ["once", "--log-level", "error"])).toMatchInlineSnapshot(`
      "$ rotate once --log-level error
      payments-api: blocked: the secret is kept by installation "default" (journal ID); if that one is gone for good: rotate --now payments-api --take-over
      1 blocked
      exit 1"
    `);
    expect(keysOf(world)).toEqual(before);
    expect(await session(world, ["once", "--take-over", "--log-level", "error"])).toMatchInlineSnapshot(`
      "$ rotate once --take-over --log-level error
      payments-api: idle: nothing to do
        left by another journal, in no record here, and not touched: key k1 "keyturn/default/payments-api/DATE/ID" (enabled, created TIME). Look further with: rotate sweep
      1 with nothing to do
      exit 0"
    `);
    expect(await session(world, ["status"])).toMatchInlineSnapshot(`
      "$ rotate status
      KEY  STATE  AGE  CURRENT  LAST  NEXT
      payments-api  ok  AGE  k1 LABEL  -  SOON (TIME)
        left by another journal, in no record here, and not touched: key k2 "keyturn/default/payments-api/DATE/ID" (enabled, created TIME). Look further with: rotate sweep
      exit 0"
    `);
    expect((await rotate(world, NOW)).status).toBe(0);
    const current = currentHash(world);
    const expected = [left, current].map((hash) => ({ hash, disabled: false }));
    expect(keysOf(world)).toEqual({ current, keys: expected });
    await world.sandbox.stopTraffic();
    expect(world.sandbox.stats().flatMap((consumer) => consumer.failures)).toEqual([]);
  });

  test("but for part of its files: that part is not taken for a new journal, and the way back works", async ({
    expect,
  }) => {
    await using world = await startWorld();
    const path = pathOf(world);
    await rotate(world, NOW, { killAt: "rename:1:after" });
    await truncate(path, 0);
    expect(existsSync(`${path}-wal`)).toBe(true);
    expect(await session(world, ["once"])).toMatchInlineSnapshot(`
      "$ rotate once
      | rotate: the journal DIR/journal.db is empty, although it was in use (DIR/journal.db-wal)
      |   restore it from a copy, or move it away together with DIR/journal.db-wal, -shm and .holders, and start anew with --take-over
      exit 1"
    `);
    await lose(world);
    expect((await rotate(world, ["once", "--take-over"])).status).toBe(0);
    expect((await rotate(world, NOW)).status).toBe(0);
  });

  test("while a worker has it open: the worker writes nothing more and says why, and another may take over", async ({
    expect,
  }) => {
    await using world = await startWorld({ every: "1s" });
    const worker = startWorker(world);
    await worker.says(/"msg":"next due at/);
    await lose(world);
    await worker.says(/was moved, replaced or deleted while it was open/);
    expect((await rotate(world, [...NOW, "--take-over"])).status).toBe(0);
    await worker.stop();
    await world.sandbox.stopTraffic();
    expect(world.sandbox.stats().flatMap((consumer) => consumer.failures)).toEqual([]);
  });

  test("only of the folder that tells who lives: nothing is lost", async ({ expect }) => {
    await using world = await startWorld();
    await rotate(world, NOW, { killAt: "rename:2:after" });
    await lose(world, "", "-wal", "-shm");
    expect(await session(world, NOW)).toMatchInlineSnapshot(`
      "$ rotate --now payments-api --log-level error
      payments-api: completed in TOOK; new key k1 is current; old key k2 deleted
      exit 0"
    `);
  });
});
