import { type Course, recover } from "./course.ts";
import { faultsAtEnd, faultsOfCourse, requireService } from "./observer.ts";
import type { PlaceKind } from "./place.ts";
import { newProcess } from "./process.ts";
import { CrashWorld, type Image } from "./world.ts";

/** One point at which a process can die, and the digest of the world that it then leaves. */
interface Point {
  where: string;
  world: string;
}

interface Run {
  points: Point[];
  /** Every world that was met, by its digest. */
  images: Map<string, Image>;
  /** The names of the calls. */
  calls: string[];
  faults: string[];
  /** What the run has come to, to compare it with another. */
  end: string;
}

type Script = (process: Parameters<Course["act"]>[0], world: CrashWorld) => Promise<unknown>;

/** What exploring one course has come to. */
export interface Figures {
  course: string;
  /** Calls of a process that nobody kills, and the points before, within and after them. */
  calls: number;
  points: number;
  /** Different worlds that a kill leaves, and different further ones after a second kill. */
  worlds: number;
  worldsAfterTwo: number;
  /** Ordered pairs of points, the second one of the process that recovers. */
  pairs: number;
  /** Processes that ran to their end. */
  runs: number;
  /** Continuations of an equal world, and processes stopped for good, to see that neither makes a difference. */
  compared: number;
}

/** Every so many points with a world that was met before, that world is continued again and must end alike. */
const CONTINUE_EVERY = 41;
/** At every so many points a process is stopped for good, and must leave the very world that was kept there. */
const STOP_EVERY = 23;
const DAY = 24 * 3_600_000;

/**
 * Kills a process at every point of a course; with `pairs`, the process that recovers too, at every
 * point of its. What a kill leaves is kept while the process runs on, in a world of its own; equal
 * worlds have equal futures, so each is continued once.
 */
export async function explore(
  course: Course,
  kind: PlaceKind,
  pairs: boolean,
): Promise<{ figures: Figures; calls: string[]; faults: string[] }> {
  const again: Script = (process, world) => recover(course, process, world);
  const begin = await CrashWorld.before(course, kind);
  const beginning = begin.image();
  const first = await run(begin, course.act, true);
  const faults = [...first.faults, ...faultsOfCourse(begin)].map((fault) => `nobody killed: ${fault}`);
  const figures: Figures = {
    course: course.name,
    calls: first.calls.length,
    points: first.points.length,
    worlds: first.images.size,
    worldsAfterTwo: 0,
    pairs: 0,
    runs: 1,
    compared: 0,
  };
  const ends = new Map<string, string>();
  const pointsOf = new Map<string, number>();
  let met = 0;

  const proceed = async (image: Image, keep: boolean, where: string, later = 0) => {
    const world = new CrashWorld(course, kind, image);
    world.passTime(later);
    const continued = await run(world, again, keep);
    figures.runs += 1;
    faults.push(...continued.faults.map((fault) => `killed ${where}: ${fault}`));
    return continued;
  };

  for (const [at, { where, world }] of first.points.entries()) {
    if (at % STOP_EVERY !== 0 || !mayStop(where)) continue;
    const left = await stopped(new CrashWorld(course, kind, beginning), course.act, at + 1);
    figures.compared += 1;
    if (left !== world) faults.push(`stopped ${where}: leaves another world than was kept`);
  }
  const firstAt = earliest(first.points);
  for (const [digest, image] of first.images) {
    const where = firstAt.get(digest) as string;
    const second = await proceed(image, pairs, where);
    ends.set(digest, second.end);
    if (!pairs) continue;
    await proceed(image, false, `${where}, and restarted a day later`, DAY);
    pointsOf.set(digest, second.points.length);
    const secondAt = earliest(second.points);
    for (const [next, after] of second.images) {
      // What one kill has left is continued above, or will be.
      if (first.images.has(next) && !ends.has(next)) continue;
      const path = `${where}, then ${secondAt.get(next)}`;
      const known = ends.get(next);
      if (known === undefined) {
        ends.set(next, (await proceed(after, false, path)).end);
        figures.worldsAfterTwo += 1;
      } else if (met++ % CONTINUE_EVERY === 0) {
        const { end } = await proceed(after, false, path);
        figures.compared += 1;
        if (end !== known) faults.push(`killed ${path}: an equal world has come to another end`);
      }
    }
  }
  for (const { world } of first.points) figures.pairs += pointsOf.get(world) ?? 0;
  return { figures, calls: first.calls, faults };
}

/** Runs one process to its end; with `keep`, the world at each point is kept. */
async function run(world: CrashWorld, script: Script, keep: boolean): Promise<Run> {
  const points: Point[] = [];
  const images = new Map<string, Image>();
  let marks: unknown[] = [];
  let digest = "";
  const watch = (where: string) => {
    const now = world.marks();
    const changed = now.length !== marks.length || now.some((mark, index) => mark !== marks[index]);
    marks = now;
    if (changed) requireService(world, where);
    if (!keep) return;
    if (changed) {
      const image = world.image();
      digest = world.digest(image);
      if (!images.has(digest)) images.set(digest, image);
    }
    points.push({ where, world: digest });
  };
  const { process, sites } = newProcess(world, watch);
  const faults: string[] = [];
  await script(process, world).catch((thrown: unknown) => faults.push(`the process threw ${thrown}`));
  process.kill();
  faults.push(...faultsAtEnd(world));
  const end = `${sites.calls.length} calls, then ${world.digest(world.image())}`;
  return { points, images, calls: sites.calls, faults, end };
}

/** The digest of what a process leaves that is really stopped at a point. */
async function stopped(world: CrashWorld, script: Script, at: number): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const died = () => {
    // Time stands still from then on.
    void world.clock.during(new Promise(() => {}));
    resolve();
  };
  const { process } = newProcess(world, () => void world.marks(), { at, died });
  await Promise.race([script(process, world), promise]);
  process.kill();
  // Whatever of it still ran has run by then.
  await new Promise(setImmediate);
  return world.digest(world.image());
}

/** In the midst of what happens at once nothing can be stopped. */
function mayStop(where: string): boolean {
  return !where.startsWith("within") && !where.includes(" fs.");
}

function earliest(points: readonly Point[]): Map<string, string> {
  return new Map(points.toReversed().map(({ where, world }) => [world, where]));
}
