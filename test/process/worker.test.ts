import { describe, test } from "vitest";
import { readable, session, stable } from "./transcript.ts";
import {
  applyKey,
  rotate,
  STUBBORN_BILLING,
  startWorker,
  startWorld,
  type World,
  withPolicy,
} from "./world.ts";

const QUIET = ["--log-level", "error"];
const NOW = ["--now", "payments-api", ...QUIET];

describe.concurrent("rotate worker", { timeout: 60_000 }, () => {
  test("rotates what is due, and upon SIGTERM stops with 0; its log is JSON throughout", async ({
    expect,
  }) => {
    await using world = await startWorld({ every: "3s" });
    const worker = startWorker(world);
    await worker.says(/the rotation is complete.*"reason":"scheduled"/s);
    const { status } = await worker.stop();
    const lines = worker.log().trimEnd().split("\n");
    expect(lines.filter((line) => !line.startsWith("{"))).toEqual([]);
    const told = readable(worker.log());
    // On a fast machine the first key is not due yet when the worker starts, and it says so.
    const before = told.findIndex((line) => line.includes("starts a rotation"));
    const since = told.filter((line, at) => at > before || !line.includes("next due"));
    expect(stable(world, [...since, `exit ${status}`].join("\n"))).toMatchInlineSnapshot(`
      "info: the worker is running
      info: starts a rotation (due by the schedule)
      info: writes down the exact name the new key will bear
      info: creates the key "keyturn/default/payments-api/DATE/ID" at the provider and stages it in the store
      info: key k1 answers and has the settings asked for
      info: makes key k1 the store's current
      info: every instance of every consumer uses the new key
      info: disables the old key k2 at the provider
      info: the provider refuses the old key k2
      info: the rotation is complete
      info: deletes key k2 at the provider (replaced in rotation r1)
      info: key k2 is deleted; its plaintext leaves the store
      info: has found no lost key of ours at the provider
      info: next due at TIME
      info: SIGTERM received; finishing the step in hand (once more to stop at once)
      info: the worker has stopped
      exit 0"
    `);
  });

  test.for([
    ["SIGTERM", 143],
    ["SIGINT", 130],
  ] as const)(
    "upon a second %s ends at once with %i, in the middle of a step",
    async ([signal, status], { expect }) => {
      // Due at once only when the first key is there: on a slow machine that takes longer than a second.
      const often = withPolicy("every: 30d", "every: 1s");
      await using world = await startWorld({ ...often, faults: ["update:timeout:all"] });
      const worker = startWorker(world);
      await worker.says(/is running/);
      await asked(world, "PATCH");
      const ended = new Promise((resolve) => worker.child.once("close", resolve));
      worker.child.kill(signal);
      await worker.says(new RegExp(`${signal} received`));
      worker.child.kill(signal);
      expect(await ended).toBe(status);
    },
  );

  test("with a key in hand, takes up what is typed elsewhere: --now follows it to the end", async ({
    expect,
  }) => {
    await using world = await startWorld(STUBBORN_BILLING);
    const worker = await startWorkerInFlight(world);
    expect(await session(world, [...NOW, "--deadline", "100ms"])).toMatchInlineSnapshot(`
      "$ rotate --now payments-api --log-level error --deadline 100ms
      payments-api: waiting: promoted; another worker carries it on
        follow it with: rotate status payments-api --watch
      exit 3"
    `);
    const followed = session(world, NOW);
    await worker.says(/carries on with the rotation in flight[\s\S]*carries on with the rotation in flight/);
    await applyKey(world, "billing");
    expect(await followed).toMatchInlineSnapshot(`
      "$ rotate --now payments-api --log-level error
      payments-api: completed in TOOK; new key k1 is current; old key k2 deleted
      exit 0"
    `);
    await worker.stop();
  });

  test("with a key in hand, takes up a rollback typed elsewhere", async ({ expect }) => {
    await using world = await startWorld(STUBBORN_BILLING);
    const worker = await startWorkerInFlight(world);
    expect(await session(world, ["rollback", "payments-api", ...QUIET])).toMatchInlineSnapshot(`
      "$ rotate rollback payments-api --log-level error
      payments-api: reverted: rollback asked for by ME@HOST
      exit 0"
    `);
    await worker.stop();
  });
});

/** A worker that has taken a rotation over and waits for billing. */
async function startWorkerInFlight(world: World) {
  await rotate(world, [...NOW, "--deadline", "1s"]);
  const worker = startWorker(world);
  await worker.says(/still serves/);
  return worker;
}

/** Resolves when the provider has received such a request. */
async function asked({ sandbox }: World, method: string): Promise<void> {
  const { clock, requests } = sandbox.model;
  while (!requests.some((request) => request.method === method)) await clock.sleep(20);
}
