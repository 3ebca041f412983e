import { type FleetRun, fleetWorld } from "./fleet-world.ts";
import { spread } from "./measure.ts";
import type { Row, Size } from "./report.ts";

const LATENCY_MS = 20;
/** As by default. */
const CONCURRENCY = 8;
/** More than the calls could come to: concurrency and latency are the bound. */
const NO_RATE = 10_000;
const KEYS: Readonly<Record<Size, number>> = { small: 20, usual: 1_000, large: 10_000 };
/** A fleet takes long; the spread of so many runs shows how far they differ. */
const MOST_RUNS = 3;
const MIB = 1024 * 1024;

/**
 * `rotate now` of a whole fleet, whole process, each key with an old one to retire; provider and AWS
 * answer 20 ms late, the consumers confirm at once.
 *
 * Time is beside the floor of the calls that the run made at the provider: nobody could make them
 * sooner with eight at a time, or at the rate of the policy. The store's calls are no part of it:
 * they are bound by nothing but the number of targets at work, and run beside the provider's. The
 * row beneath has the same number of calls made by a bare loop of fetch, which tells what of it the
 * machine takes: a call of 20 ms is one of 21 or more by the time that it is back. Memory is the
 * greatest resident set less that of a run of one key.
 */
export async function fleet(runs: number, size: Size): Promise<Row[]> {
  const keys = KEYS[size];
  const times = Math.min(runs, MOST_RUNS);
  const rows: Row[] = [];
  for (const store of ["file", "aws"] as const) {
    const world = { store, rateLimit: { requestsPerSecond: NO_RATE, concurrency: CONCURRENCY } };
    const alone = spread((await rotations({ ...world, keys: 1 }, times)).map(({ peakRss }) => peakRss));
    const ran = await rotations({ ...world, keys }, times);
    const what = `${keys.toLocaleString("en")} keys rotated, ${store === "file" ? "file store" : "AWS"}`;
    const floor = ({ calls }: FleetRun) => (calls.provider * LATENCY_MS) / CONCURRENCY;
    rows.push(
      {
        what,
        against: `calls × ${LATENCY_MS} ms ÷ ${CONCURRENCY} at a time`,
        asked: "≤ 1.10 ×",
        measured: spread(ran.map((run) => run.wallMs / floor(run))),
      },
      {
        what,
        against: "the same calls by a bare loop of `fetch`",
        measured: spread(ran.map(({ wallMs, bareMs }) => wallMs / bareMs)),
      },
      {
        what: `${what}: memory`,
        against: "one key rotated",
        measured: spread(ran.map(({ peakRss }) => (peakRss - alone.median) / keys / 1024)),
        unit: "KiB a key",
      },
      {
        what: `${what}: memory in all`,
        against: "one key rotated",
        measured: spread(ran.map(({ peakRss }) => (peakRss - alone.median) / MIB)),
        unit: "MiB",
      },
      {
        what: `${what}: delay of the event loop, p99`,
        against: "50 ms",
        asked: "< 1 ×",
        measured: spread(ran.map(({ delayP99Ms }) => delayP99Ms / 50)),
      },
    );
  }
  rows.push(await underRate(keys, times));
  return rows;
}

/** At a rate that eight calls at a time would exceed fourfold. */
async function underRate(keys: number, times: number): Promise<Row> {
  const rate = 100;
  const few = Math.min(keys, 300);
  const rateLimit = { requestsPerSecond: rate, concurrency: CONCURRENCY };
  await using world = await fleetWorld({ store: "file", keys: few, rateLimit });
  const ran: FleetRun[] = [];
  while (ran.length < times) ran.push(await world.rotate(LATENCY_MS));
  return {
    what: `${few} keys rotated, ${rate} calls a second`,
    against: "calls ÷ rate",
    asked: "≤ 1.05 ×",
    measured: spread(ran.map(({ wallMs, calls }) => wallMs / ((calls.provider / rate) * 1_000))),
  };
}

/** Each with its calls made barely, side by side. */
async function rotations(
  options: Parameters<typeof fleetWorld>[0],
  times: number,
): Promise<(FleetRun & { bareMs: number })[]> {
  await using world = await fleetWorld(options);
  const ran: (FleetRun & { bareMs: number })[] = [];
  for (let time = 0; time < times; time += 1) {
    const run = await world.rotate(LATENCY_MS);
    ran.push({ ...run, bareMs: await world.bareCalls(run.calls.provider, LATENCY_MS) });
  }
  return ran;
}
