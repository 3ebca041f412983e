import { chmod, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { messageOf, RotationError } from "../lib/errors.ts";
import { type Random, randomId } from "../lib/random.ts";
import type { Metrics } from "../telemetry/metrics/metrics.ts";

/** How long the end of a command waits for what keys have spent, in milliseconds. */
const USAGE_MS = 10_000;

/** What a command leaves behind for the textfile collector of node_exporter. */
export interface Measured {
  metrics: Metrics;
  random: Random;
}

/**
 * Writes the metrics to `file`: whole or not at all, and readable to everybody. Throws RotationError
 * `unusable` when it cannot be written.
 */
export async function writeMetrics({ metrics, random }: Measured, file: string): Promise<void> {
  await metrics.usageRead(USAGE_MS);
  const text = await metrics.text();
  const path = resolve(file);
  // In the same folder, for the rename; no *.prom, which the collector would read.
  const temporary = join(dirname(path), `.${basename(path)}.${randomId(random)}.tmp`);
  try {
    await writeFile(temporary, text, { flag: "wx" });
    await chmod(temporary, 0o644);
    await rename(temporary, path);
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => {});
    throw new RotationError("unusable", `the metrics cannot be written to ${file} (${messageOf(cause)})`, {
      hint: "check --metrics-file: its folder must be there, and this user must be able to write in it",
      cause,
    });
  }
}
