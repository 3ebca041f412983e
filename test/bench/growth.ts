import { type FleetRun, fleetWorld } from "./fleet-world.ts";
import { spread } from "./measure.ts";
import type { Series } from "./plot.ts";
import type { Size } from "./report.ts";

const LARGEST: Readonly<Record<Size, number>> = { small: 10, usual: 1_000, large: 10_000 };
/** Small fleets take no time, and differ more from run to run. */
const MOST_KEYS_IN_ALL = 1_000;
const MOST_RUNS = 5;

type Figure = (run: FleetRun) => number;

/** Each beside the same of one key: what is said is how it grows. */
const FIGURES: readonly [name: string, figure: Figure, each: boolean][] = [
  ["time per key, against 1 key", ({ wallMs }) => wallMs, true],
  ["CPU per key, against 1 key", ({ cpuMs }) => cpuMs, true],
  ["memory in all, against 1 key", ({ peakRss }) => peakRss, false],
  ["calls per key", ({ calls }) => calls.provider, true],
];

/**
 * How `rotate now` of a fleet grows with the fleet: 1, 10, 100 … keys up to 1,000, or 10,000 for
 * `large`, in the file store, at a provider that answers 20 ms late and eight calls at a time.
 */
export async function growth(runs: number, size: Size): Promise<{ plot: Series[] }> {
  return { plot: await growthUpTo(LARGEST[size], runs) };
}

async function growthUpTo(largest: number, runs: number): Promise<Series[]> {
  const sizes: number[] = [];
  for (let keys = 1; keys <= largest; keys *= 10) sizes.push(keys);
  const medians = new Map<number, number[]>();
  for (const keys of sizes) {
    const times = Math.max(1, Math.min(runs, MOST_RUNS, MOST_KEYS_IN_ALL / keys));
    await using world = await fleetWorld({
      keys,
      store: "file",
      rateLimit: { requestsPerSecond: 10_000, concurrency: 8 },
    });
    const ran: FleetRun[] = [];
    while (ran.length < times) ran.push(await world.rotate(20));
    medians.set(
      keys,
      FIGURES.map(([, figure, each]) => spread(ran.map((run) => figure(run) / (each ? keys : 1))).median),
    );
  }
  return FIGURES.map(([name], index) => {
    const one = name.includes("against") ? (medians.get(1)?.[index] ?? Number.NaN) : 1;
    return {
      name,
      points: sizes.map((keys) => ({ keys, value: (medians.get(keys)?.[index] ?? Number.NaN) / one })),
    };
  });
}
