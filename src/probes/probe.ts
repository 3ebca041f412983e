/** The key that an answer is judged for. */
export interface Expected {
  /** The policy's key name, and its earlier names: the entry looked for in a contract's `keys`. */
  keyNames: readonly string[];
  /** Full fingerprint, `sha256:…`, of the key that consumers are to serve with. */
  fingerprint: string;
  hash: string;
  label: string;
  /** The store's version id of it. */
  version: string;
  /** Fingerprints of the keys that no instance may serve with or hold any more. */
  outgoing: readonly string[];
  /** Id of the open rotation of that key, while there is one. */
  rotation?: string;
}

/**
 * `confirms`: serves the expected key and holds none that is outgoing.
 * `holds`: serves the expected key, still holds an outgoing one.
 * `other`: answers well, serves another key.
 * `unwell`: answered, but with an error, a wrong status, or nothing that can be judged.
 * `silent`: no answer.
 */
export type Verdict = "confirms" | "holds" | "other" | "unwell" | "silent";

export interface InstanceAnswer {
  /** Stable identity within the consumer: its address, with the instance name of the contract when given. */
  instance: string;
  verdict: Verdict;
  /** One short sentence for people, bounded, without raw answers or secrets. */
  detail: string;
  /** Full or shortened fingerprint that it says it serves with, if it says so. */
  serving?: string;
}

/** One question to every instance of one consumer. */
export interface Sweep {
  consumer: string;
  /** Empty when no instance was found. */
  instances: InstanceAnswer[];
  /** Why the sweep counts for nothing, when it does: no instance found, fewer than required, name not resolved. */
  problem?: string;
}

/** Asks one consumer. Never throws for what a consumer or network does: that is a verdict. */
export interface Probe {
  /** The consumer's name in the policy. */
  readonly consumer: string;
  /** Asks every instance once, all at the same time. */
  sweep(expected: Expected, signal?: AbortSignal): Promise<Sweep>;
}

/** Tells a consumer to read its key again. Throws RotationError; may be repeated. */
export interface Reload {
  readonly consumer: string;
  run(expected: Expected, signal?: AbortSignal): Promise<void>;
}

/** Whether a sweep has every instance confirming. No instance is no confirmation. */
export function confirms(sweep: Sweep): boolean {
  return (
    sweep.problem === undefined &&
    sweep.instances.length > 0 &&
    sweep.instances.every((answer) => answer.verdict === "confirms")
  );
}

/** The membership of a sweep, comparable with that of another. */
export function membership(sweep: Sweep): string {
  return JSON.stringify(sweep.instances.map((answer) => answer.instance).sort());
}
