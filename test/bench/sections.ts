import type { Section } from "./report.ts";

/** The sections in the order in which they run, each loaded when it does. */
export const SECTIONS: Readonly<Record<string, () => Promise<Section>>> = {
  "against-script": async () => (await import("./against-script.ts")).againstScript,
  "cold-start": async () => (await import("./cold-start.ts")).coldStart,
  "start-steps": async () => (await import("./start-steps.ts")).startSteps,
  fleet: async () => (await import("./fleet.ts")).fleet,
  "idle-fleet": async () => (await import("./idle-fleet.ts")).idleFleet,
  confirm: async () => (await import("./confirm.ts")).confirm,
  journal: async () => (await import("./journal.ts")).journal,
  growth: async () => (await import("./growth.ts")).growth,
};
