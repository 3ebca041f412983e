import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import type { Caught } from "./hunt.ts";
import { MUTANTS, type Mutant, patched, SOURCES } from "./mutants.ts";
import { drawPlan } from "./plan.ts";
import { simulate } from "./simulate.ts";

/** `npm run test:mutants` hunts them all; otherwise those that are caught at once. */
const all = process.env.KEYTURN_TEST_MUTANTS === "all";
const hunted = MUTANTS.filter(({ quick }) => all || quick);

const PLANT = new URL("plant.ts", import.meta.url).href;
const HUNT = fileURLToPath(new URL("hunt.ts", import.meta.url));
/** Compiled sources are kept between children: most of what a short hunt costs is their compilation. */
const COMPILE_CACHE = fileURLToPath(new URL("../../node_modules/.cache/compile", import.meta.url));

/** A bug may keep a world busy for ever, which counts as not caught. */
const LONGEST_HUNT_MS = 240_000;

async function hunt({ name }: Mutant): Promise<Caught | null> {
  const { PATH, HOME } = process.env;
  const child = spawn(process.execPath, ["--import", PLANT, HUNT], {
    env: { PATH, HOME, NODE_COMPILE_CACHE: COMPILE_CACHE, KEYTURN_MUTANT: name },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: LONGEST_HUNT_MS,
  });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  if (child.signalCode !== null) return null;
  if (child.exitCode !== 0) throw new Error(`the hunt fell over: ${stderr}`);
  return JSON.parse(stdout) as Caught | null;
}

describe("planted bugs", () => {
  test("each has its place in the sources, exactly once", () => {
    for (const mutant of MUTANTS) {
      const source = readFileSync(new URL(mutant.file, SOURCES), "utf8");
      expect(patched(mutant, source)).not.toBe(source);
    }
  });

  test("each has a name of its own", () => {
    expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length);
  });

  describe.concurrent("are caught by the simulation, which holds without them:", { timeout: 300_000 }, () => {
    const free = turns(Math.max(2, availableParallelism()));
    test.for(hunted)("$name", async (mutant, { expect }) => {
      const caught = await free(() => hunt(mutant));
      expect(caught, "no invariant was broken").not.toBeNull();
      const { violations } = await simulate(drawPlan(caught?.seed ?? 0, mutant.days, mutant.acts));
      expect(violations).toEqual([]);
    });
  });
});

/** Runs what it is given, so many at a time. */
function turns(places: number): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let left = places;
  return async (work) => {
    if (left > 0) left -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else left += 1;
    }
  };
}
