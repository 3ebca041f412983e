import type { ChildProcess, SpawnOptions } from "node:child_process";
import type { KubeApi } from "../kubernetes/api.ts";
import type { Clock } from "../lib/clock.ts";
import type { DirectSend } from "../lib/http-direct.ts";
import type { ReadSecret } from "../lib/secret-source.ts";

/** Every address of a name, as `dns.promises.lookup(name, { all: true })` gives them; rejects when there is none. */
export type LookupAll = (hostname: string) => Promise<readonly { address: string }[]>;

/** `child_process.spawn`. */
export type Run = (file: string, args: readonly string[], options: SpawnOptions) => ChildProcess;

/** What probes and reloads reach the world with. */
export interface ProbeParts {
  send: DirectSend;
  readSecret: ReadSecret;
  /** Text of a file, for certificates. */
  readFile: (path: string) => Promise<string>;
  lookup: LookupAll;
  run: Run;
  /** The cluster of a kubeconfig's context; without one, that which the surroundings name. Connects when it is first asked. */
  kube: (context?: string) => KubeApi;
  clock: Clock;
  /** Where PATH and HOME of an exec come from. */
  env: Readonly<Record<string, string | undefined>>;
}
