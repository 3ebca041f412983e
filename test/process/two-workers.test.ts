import { expect, test } from "vitest";
import { rotate, startWorker, startWorld } from "./world.ts";

test("two workers on one journal, started together, perform one rotation of a key that is due, and stop with 0", async () => {
  const world = await startWorld({ every: "5s" });
  const before = world.sandbox.model.liveKeys().map((key) => key.hash);
  const workers = [startWorker(world), startWorker(world)];
  await Promise.any(workers.map((worker) => worker.says(/"reason":"deleted"/)));
  const ended = await Promise.all(workers.map((worker) => worker.stop()));
  expect(ended.map(({ status }) => status)).toEqual([0, 0]);
  const { stdout } = await rotate(world, ["history", "--json"]);
  const events = (JSON.parse(stdout) as { events: { kind: string }[] }).events;
  const count = (kind: string) => events.filter((event) => event.kind === kind).length;
  expect({ started: count("start"), created: count("created"), completed: count("completed") }).toEqual({
    started: 2,
    created: 2,
    completed: 2,
  });
  await world.sandbox.stopTraffic();
  expect(world.sandbox.stats().flatMap((consumer) => consumer.failures)).toEqual([]);
  expect(world.sandbox.model.liveKeys().filter((key) => before.includes(key.hash))).toEqual([]);
  await world.sandbox.close();
}, 60_000);
