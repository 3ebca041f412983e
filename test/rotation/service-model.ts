import type { Clock } from "../../src/lib/clock.ts";
import { RotationError } from "../../src/lib/errors.ts";
import type { HttpResponse } from "../../src/lib/http.ts";
import type { DirectRequest } from "../../src/lib/http-direct.ts";
import { fingerprint } from "../../src/lib/secret.ts";

interface Instance {
  name: string;
  serving: string | undefined;
  /** Read and not yet applied. */
  next?: { key: string; at: number };
  holding: string[];
  down: boolean;
  /** Serves on, and cannot be reached. */
  cutOff: boolean;
  /** Never takes up another key. */
  stuck: boolean;
  /** Answers that it serves with whatever the store holds, whatever it does serve with. */
  lies: boolean;
  /** When it took up what it serves with. */
  since: number;
  /** What it said last, and whether that was true. */
  told?: { serving: string | undefined; truly: boolean };
}

/** A service of several instances that read their key from the store's consumer file and apply it after a delay. */
export class ServiceModel {
  readonly name: string;
  readonly instances: Instance[];
  /** How often its reload hook was called. */
  reloads = 0;
  /** Answers this in place of the contract, when set. */
  body: string | undefined;
  applyDelay: number;
  /** How many calls of its reload hook still fail. */
  reloadFailures = 0;
  /** Takes up a new key only when it is told to. */
  onReload = false;
  private readonly keyName: string;
  private readonly clock: Clock;
  private readonly read: () => string | undefined;

  constructor(options: {
    name: string;
    clock: Clock;
    instances: number;
    applyDelay: number;
    /** The key's name in the policy. */
    key: string;
    /** What the key's field in the consumer file holds. */
    read: () => string | undefined;
  }) {
    this.name = options.name;
    this.keyName = options.key;
    this.clock = options.clock;
    this.read = options.read;
    this.applyDelay = options.applyDelay;
    this.instances = Array.from({ length: options.instances }, (_, index) => this.instance(index));
  }

  /** No instance takes up another key any more; or all do again. */
  stuck(stuck = true): void {
    for (const one of this.instances) one.stuck = stuck;
  }

  addresses(): string[] {
    return this.instances.map((_, index) => `10.0.0.${index + 1}`);
  }

  /** Takes up what is there, at once. */
  settle(): void {
    for (const one of this.instances) {
      if (one.serving === this.read()) continue;
      one.serving = this.read();
      one.since = this.clock.now();
    }
  }

  serving(): (string | undefined)[] {
    this.advance();
    return this.instances.filter((one) => !one.down).map((one) => one.serving);
  }

  answer(request: DirectRequest): HttpResponse {
    this.advance();
    const index = request.address === undefined ? 0 : this.addresses().indexOf(request.address);
    const one = this.instances[index];
    if (one === undefined || one.down || one.cutOff)
      throw new RotationError("unreachable", `${this.name} refuses the connection`);
    if (request.method === "POST") {
      this.reloads += 1;
      if (this.reloadFailures > 0) {
        this.reloadFailures -= 1;
        return { status: 500, headers: {}, body: "" };
      }
      if (this.onReload) this.settle();
      return { status: 204, headers: {}, body: "" };
    }
    if (this.body !== undefined) {
      one.told = { serving: undefined, truly: false };
      return { status: 200, headers: {}, body: this.body };
    }
    const serving = one.lies ? this.read() : one.serving;
    one.told = { serving, truly: !one.lies };
    if (serving === undefined) return { status: 503, headers: {}, body: '{"status":"waiting"}' };
    const keys = {
      [this.keyName]: { serving: fingerprint(serving), holding: one.holding.map(fingerprint) },
    };
    return { status: 200, headers: {}, body: JSON.stringify({ status: "ok", instance: one.name, keys }) };
  }

  /** One more instance, which holds what is given, or what is there now. */
  scaleUp(serving = this.read()): void {
    this.instances.push(this.instance(this.instances.length, serving));
  }

  private instance(index: number, serving?: string): Instance {
    return {
      name: `${this.name}-${index}`,
      serving,
      holding: [],
      down: false,
      cutOff: false,
      stuck: false,
      lies: false,
      since: this.clock.now(),
    };
  }

  private advance(): void {
    if (this.onReload) return;
    const key = this.read();
    const now = this.clock.now();
    for (const one of this.instances) {
      if (one.down || one.stuck || key === undefined) continue;
      if (one.next && now >= one.next.at) {
        one.serving = one.next.key;
        one.since = one.next.at;
        delete one.next;
      }
      if (key === one.serving) delete one.next;
      else if (one.next?.key !== key) one.next = { key, at: now + this.applyDelay };
    }
  }
}
