import { Counter, Histogram, type Registry } from "prom-client";
import type { Policy } from "../../policy/schema.ts";
import type { Progress } from "../../rotation/report.ts";
import { isOpenPhase, isOutcome, OUTCOMES, PHASES } from "./closed-sets.ts";
import { forget, type Known } from "./series.ts";

const [MINUTE, HOUR, DAY] = [60, 3_600, 86_400];
/** A phase takes milliseconds where nobody is waited for, and days where a window is closed or a key soaks. */
const SECONDS = [
  0.05,
  0.25,
  1,
  5,
  15,
  MINUTE,
  5 * MINUTE,
  15 * MINUTE,
  HOUR,
  4 * HOUR,
  DAY,
  3 * DAY,
  7 * DAY,
];

export interface RotationMetrics extends Known {
  onProgress(progress: Progress): void;
}

/** Rotations and phases that ended in this process. */
export function rotationMetrics(registry: Registry): RotationMetrics {
  const common = { registers: [registry] };
  const ended = new Counter({
    ...common,
    name: "keyturn_rotations_total",
    help: "Rotations that ended in this process, by outcome.",
    labelNames: ["key", "outcome"],
  });
  const duration = new Histogram({
    ...common,
    name: "keyturn_rotation_duration_seconds",
    help: "From the start of a rotation to its end, by outcome.",
    labelNames: ["outcome"],
    buckets: SECONDS,
  });
  const phases = new Histogram({
    ...common,
    name: "keyturn_rotation_phase_duration_seconds",
    help: "How long rotations were in a phase, counted when they left it.",
    labelNames: ["phase"],
    buckets: SECONDS,
  });
  // Rotations are rare: without a zero before it, `rate` and `increase` never see the first of a process.
  for (const outcome of OUTCOMES) duration.zero({ outcome });
  for (const phase of PHASES) phases.zero({ phase });

  return {
    onProgress(progress) {
      if (progress.type !== "phase") return;
      const { key, phase, left, tookMs } = progress;
      if (left && isOpenPhase(left.phase)) phases.observe({ phase: left.phase }, left.ms / 1_000);
      if (!isOutcome(phase)) return;
      ended.inc({ key, outcome: phase });
      if (tookMs !== undefined) duration.observe({ outcome: phase }, tookMs / 1_000);
    },

    async know({ keys }: Policy) {
      const names = Object.fromEntries(keys.map(({ name }) => [name, true]));
      for (const key of Object.keys(names)) for (const outcome of OUTCOMES) ended.inc({ key, outcome }, 0);
      await forget(ended, "key", names);
    },
  };
}
