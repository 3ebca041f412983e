import type { Process } from "../rotation/scenario.ts";
import type { CrashWorld } from "./world.ts";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** One way for a rotation to go, from the first call to the end. */
export interface Course {
  name: string;
  /** Merged over the one key of the policy. */
  key?: Record<string, unknown>;
  /** How old the key is that the consumers use at the start, made by a person; absent: there is none. */
  found?: number;
  /** How long the provider refuses a new key. */
  activationDelay?: number;
  /** How long a call takes to reach the provider. */
  latency?: number;
  /** Keys go whoever uses them: no promise is made to the consumers. */
  outage?: true;
  /** What has happened before the process that is to die. */
  before?(process: Process, world: CrashWorld): Promise<unknown>;
  /** What that process does. */
  act(process: Process, world: CrashWorld): Promise<unknown>;
  /** What a later process does, besides one pass. */
  after?(process: Process, world: CrashWorld): Promise<unknown>;
  /** How long a later process may take, in milliseconds. */
  within?: number;
  /** Where nobody is killed: the latest rotation's outcome, how many keys there were in all, and events on the way. */
  ends: { outcome: string; keys: number; by: string[] };
}

const adopt: Course["before"] = (process) => process.once();

/** A person sees to the consumer that is stuck, and lets a held rotation go on. */
async function approve(process: Process, world: CrashWorld): Promise<void> {
  const { rotation } = await process.status();
  if (rotation?.held === undefined) return;
  world.stick(false);
  await process.ask("approve", { within: 30 * MINUTE });
}

export const COURSES: readonly Course[] = [
  {
    name: "completed",
    key: { retire: { after: "2s", watch: "1s", keepDisabledFor: "1m" } },
    found: DAY,
    before: adopt,
    act: (process) => process.now(),
    ends: { outcome: "completed", keys: 2, by: ["disabled", "deleted"] },
  },
  {
    name: "reverted",
    key: { confirm: { timeout: "3s", interval: "1s", successThreshold: 2, onTimeout: "rollback" } },
    found: DAY,
    before: async (process, world) => {
      await process.once();
      world.stick(true);
    },
    act: (process) => process.now({ within: 30 * MINUTE }),
    ends: { outcome: "reverted", keys: 2, by: ["promoted", "revert", "promoted-back", "reverted"] },
  },
  {
    name: "held, then approved",
    key: { confirm: { timeout: "3s", interval: "1s", successThreshold: 2, onTimeout: "hold" } },
    found: DAY,
    before: async (process, world) => {
      await process.once();
      world.stick(true);
    },
    act: async (process, world) => {
      await process.now({ within: 30 * MINUTE });
      await approve(process, world);
    },
    after: approve,
    ends: { outcome: "completed", keys: 2, by: ["hold", "release", "deleted"] },
  },
  {
    name: "revoked",
    key: { retire: { watch: "1s", keepDisabledFor: "1m" } },
    found: DAY,
    before: (process) => process.now({ until: "completed" }),
    act: (process) => process.ask("revoke"),
    ends: { outcome: "completed", keys: 3, by: ["distrust", "promoted", "deleted"] },
  },
  {
    name: "revoked immediately",
    found: DAY,
    outage: true,
    before: adopt,
    act: (process) => process.ask("revoke", { immediately: true }),
    ends: { outcome: "completed", keys: 2, by: ["distrust", "deleted", "promoted"] },
  },
  {
    name: "provisioned",
    act: (process) => process.once(),
    ends: { outcome: "completed", keys: 1, by: ["created", "promoted"] },
  },
  {
    name: "adopted, being overdue",
    found: 40 * DAY,
    act: (process) => process.once(),
    ends: { outcome: "completed", keys: 2, by: ["adopted", "deleted"] },
  },
  {
    name: "rolled back after completion",
    key: { retire: { watch: "1s", keepDisabledFor: "1m" } },
    found: DAY,
    before: (process) => process.now({ until: "completed" }),
    act: (process) => process.ask("rollback", { within: 30 * MINUTE }),
    ends: { outcome: "completed", keys: 2, by: ["enabled", "promoted", "deleted"] },
  },
  {
    name: "failed, the new key being refused",
    found: DAY,
    activationDelay: DAY,
    latency: 20_000,
    before: adopt,
    act: (process) => process.now({ within: 30 * MINUTE }),
    ends: { outcome: "failed", keys: 2, by: ["fail", "fenced", "deleted"] },
  },
];

/** What every process after the first does. */
export async function recover(course: Course, process: Process, world: CrashWorld): Promise<void> {
  await process.once({ within: course.within ?? 30 * MINUTE });
  await course.after?.(process, world);
}
