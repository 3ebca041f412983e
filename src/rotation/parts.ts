import type { PolicySnapshot } from "../journal/document.ts";
import type { Journal } from "../journal/journal.ts";
import type { Clock } from "../lib/clock.ts";
import type { Random } from "../lib/random.ts";
import type { Probe, Reload } from "../probes/probe.ts";
import type { Provider } from "../providers/provider.ts";
import type { Store } from "../stores/store.ts";

/** The clients that a key's policy names, as the composition root builds them. */
export interface Connections {
  provider(snapshot: PolicySnapshot): Provider;
  store(snapshot: PolicySnapshot): Store;
  probes(snapshot: PolicySnapshot): Probe[];
  reloads(snapshot: PolicySnapshot): Reload[];
}

export type Log = (
  level: "debug" | "info" | "warn" | "error",
  fields: Record<string, unknown>,
  message: string,
) => void;

/** What the rotation runs on; everything that touches the world comes in here. */
export interface Parts {
  journal: Journal;
  connect: Connections;
  clock: Clock;
  random: Random;
  log: Log;
  /** Notices were committed: somebody is to be told. */
  onNotices?: () => void;
}
