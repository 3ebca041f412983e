import { RotationError } from "../../src/lib/errors.ts";
import type { HttpResponse } from "../../src/lib/http.ts";
import type { DirectRequest } from "../../src/lib/http-direct.ts";
import { fingerprint } from "../../src/lib/secret.ts";

interface Instance {
  readonly serving: string | undefined;
  /** Read, and applied from `at` on. */
  readonly next?: { readonly key: string; readonly at: number };
  /** No longer served with, and dropped from `until` on. */
  readonly held?: { readonly key: string; readonly until: number };
}

/** What a consumer is at one instant; replaced as a whole by each change. */
export interface ConsumerState {
  readonly instances: readonly Instance[];
  /** Takes up no other key. */
  readonly stuck: boolean;
}

const APPLY_MS = 300;
const HOLD_MS = 200;

/** A service whose instances take up the store's key a little after it has changed, or only when they are told to. */
export class Consumer {
  readonly name: string;
  state: ConsumerState;
  private readonly onReload: boolean;
  private readonly now: () => number;
  private readonly read: () => string | undefined;

  constructor(
    parts: { name: string; onReload: boolean; now: () => number; read: () => string | undefined },
    state: ConsumerState,
  ) {
    this.name = parts.name;
    this.onReload = parts.onReload;
    this.now = parts.now;
    this.read = parts.read;
    this.state = state;
  }

  /** What each instance serves with now. */
  serving(): (string | undefined)[] {
    this.catchUp();
    return this.state.instances.map(({ serving }) => serving);
  }

  stick(stuck: boolean): void {
    this.state = { ...this.state, stuck };
  }

  /** Its health URL, and its reload hook. */
  answer(request: DirectRequest): HttpResponse {
    if (request.method === "POST") {
      const key = this.read();
      this.state = { ...this.state, instances: this.state.instances.map(() => ({ serving: key })) };
      return { status: 204, headers: {}, body: "" };
    }
    this.catchUp();
    const index = Number(/-(\d)$/.exec(new URL(request.url).hostname)?.[1] ?? 0);
    const one = this.state.instances[index];
    if (one === undefined) throw new RotationError("unreachable", `${this.name} has no instance ${index}`);
    if (one.serving === undefined) return { status: 503, headers: {}, body: '{"status":"waiting"}' };
    const keys = {
      "payments-api": {
        serving: fingerprint(one.serving),
        holding: one.held ? [fingerprint(one.held.key)] : [],
      },
    };
    return { status: 200, headers: {}, body: JSON.stringify({ status: "ok", keys }) };
  }

  /** Its check command: whether every instance serves with the key of that fingerprint. */
  check(wanted: string): boolean {
    return this.serving().every((key) => key !== undefined && fingerprint(key) === wanted);
  }

  private catchUp(): void {
    if (this.onReload || this.state.stuck) return;
    const [key, now] = [this.read(), this.now()];
    const instances = this.state.instances.map((one) => caughtUp(one, key, now));
    if (instances.some((one, index) => one !== this.state.instances[index]))
      this.state = { ...this.state, instances };
  }
}

/** The very same instance where nothing has changed. */
function caughtUp(before: Instance, key: string | undefined, now: number): Instance {
  let one = before;
  if (one.next && now >= one.next.at) {
    const { serving, next } = one;
    one = { serving: next.key, ...(serving ? { held: { key: serving, until: now + HOLD_MS } } : {}) };
  }
  if (one.held && now >= one.held.until) {
    const { held: _, ...rest } = one;
    one = rest;
  }
  if (key === undefined || one.next?.key === key || (key === one.serving && !one.next)) return one;
  const { next: _, ...rest } = one;
  return key === one.serving ? rest : { ...rest, next: { key, at: now + APPLY_MS } };
}
