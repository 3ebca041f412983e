import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import type { Logger } from "pino";
import type { Clock } from "../lib/clock.ts";
import { asRotationError, type RotationError } from "../lib/errors.ts";
import { type PolicyChanges, policyChanges } from "../policy/changes.ts";
import { type Fault, judgePolicy, PolicyError } from "../policy/load.ts";
import { readPolicyFile } from "../policy/read-file.ts";
import type { Policy } from "../policy/schema.ts";
import { Bell } from "./bell.ts";
import type { Observer } from "./observer.ts";

export interface PolicyWatchOptions {
  /** As it was named. */
  file: string;
  env: NodeJS.ProcessEnv;
  /** In force when the watch begins, and the file's text that says it. */
  policy: Policy;
  text: string;
  /** Puts a valid policy into force. What it throws refuses the file. */
  take: (policy: Policy) => void;
  observer: Pick<Observer, "policyLoaded">;
  clock: Clock;
  log: Pick<Logger, "info" | "error">;
  signal: AbortSignal;
}

/** How often the file is looked at, in milliseconds. */
const LOOK_MS = 1_000;
/** A file that looks the same from outside is read again after so long: not every file system tells all. */
const READ_AGAIN_MS = 60_000;
/** The most faults that are logged; more have a common cause. */
const MOST_LOGGED = 20;

/** What was found where the policy should be: a text, or why there is none. Equal ids mean the same find. */
type Found = { id: string; text: string } | { id: string; error: RotationError };

/**
 * Watches the policy file by looking at it, which sees a ConfigMap's swapped link, an editor's rename
 * and a change on a network mount alike. What is found is judged once it was found twice in a row: a
 * file half written is nobody's policy. A file that is refused, or gone, leaves the old policy in force.
 */
export class PolicyWatch {
  readonly #options: PolicyWatchOptions;
  readonly #bell = new Bell();
  #policy: Policy;
  /** The find that is in force, and since when. */
  #inForce: string;
  #since: number;
  #judged: string;
  #seen: string;
  #settled = false;
  #stamp = "";
  #readAt = Number.NEGATIVE_INFINITY;
  #asked = false;

  constructor(options: PolicyWatchOptions) {
    this.#options = options;
    this.#policy = options.policy;
    this.#inForce = digest(options.text);
    this.#judged = this.#inForce;
    this.#seen = this.#inForce;
    this.#since = options.clock.now();
    options.observer.policyLoaded?.(true);
  }

  /** SIGHUP: the file is judged at once as it stands, and the result said even when nothing has changed. */
  ask(): void {
    this.#asked = true;
    this.#bell.ring();
  }

  /** Looks until the signal comes; never rejects. A look that hangs, on a mount that is gone, holds up nothing else. */
  async run(): Promise<void> {
    const { clock, signal } = this.#options;
    while (!signal.aborted) {
      await this.#bell.sleep(LOOK_MS, clock, signal);
      const asked = this.#asked;
      this.#asked = false;
      await this.#look(asked);
    }
  }

  async #look(asked: boolean): Promise<void> {
    const { file, clock, signal } = this.#options;
    const stamp = await stampOf(file);
    const now = clock.now();
    const known = this.#settled && stamp === this.#stamp && Math.abs(now - this.#readAt) < READ_AGAIN_MS;
    if (known && !asked) return;
    this.#stamp = stamp;
    this.#readAt = now;
    const found = await find(file);
    this.#settled = found.id === this.#seen;
    this.#seen = found.id;
    if (signal.aborted) return;
    if (asked || (this.#settled && found.id !== this.#judged)) await this.#judge(found, asked);
  }

  async #judge(found: Found, asked: boolean): Promise<void> {
    const { file, env, take, observer, log, clock, signal } = this.#options;
    this.#judged = found.id;
    if (found.id === this.#inForce) {
      observer.policyLoaded?.(true);
      log.info({ file }, `${asked ? "the policy has not changed" : "the policy file says what is in force"}`);
      return;
    }
    try {
      if ("error" in found) throw found.error;
      const { policy } = await judgePolicy(file, found.text, env, {
        now: clock.now(),
        inForce: this.#policy,
      });
      if (signal.aborted) return;
      take(policy);
      const changes = policyChanges(this.#policy, policy);
      this.#policy = policy;
      this.#inForce = found.id;
      this.#since = clock.now();
      observer.policyLoaded?.(true);
      log.info({ file, keys: policy.keys.length, ...changes }, `the policy is reloaded: ${told(changes)}`);
    } catch (thrown) {
      this.#refuse(asRotationError(thrown));
    }
  }

  #refuse(error: RotationError): void {
    const { file, observer, log } = this.#options;
    const stays = `the policy of ${new Date(this.#since).toISOString()} stays in force`;
    observer.policyLoaded?.(false, `the policy file is refused (${error.message}); ${stays}`);
    const faults = error instanceof PolicyError ? error.faults : [];
    log.error(
      { file, code: error.code, faults: faults.length },
      faults.length > 0 ? `the policy file is refused; ${stays}` : `${error.message}; ${stays}`,
    );
    for (const fault of faults.slice(0, MOST_LOGGED)) log.error(fieldsOf(fault), sentence(fault));
  }
}

async function find(file: string): Promise<Found> {
  try {
    const text = await readPolicyFile(file);
    return { id: digest(text), text };
  } catch (thrown) {
    const error = asRotationError(thrown);
    return { id: `! ${error.message}`, error };
  }
}

/** Which file it is, and as of when. */
async function stampOf(file: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join(":");
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  }
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function fieldsOf({ file, line, column, path, hint }: Fault): Record<string, unknown> {
  return {
    file,
    ...(line > 0 ? { line, column } : {}),
    ...(path ? { path } : {}),
    ...(hint ? { hint } : {}),
  };
}

/** As `rotate validate` prints it. */
function sentence({ file, line, column, path, message }: Fault): string {
  return `${line > 0 ? `${file}:${line}:${column}` : file}  ${path ? `${path}: ` : ""}${message}`;
}

function told({ added, removed, changed }: PolicyChanges): string {
  const parts = Object.entries({ adds: added, removes: removed, changes: changed })
    .filter(([, names]) => names.length > 0)
    .map(([verb, names]) => `${verb} ${names.join(", ")}`);
  return parts.length > 0 ? parts.join("; ") : "no key is concerned";
}
