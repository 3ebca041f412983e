import { Bell } from "../../src/commands/bell.ts";
import { keepPassing } from "../../src/commands/keep-passing.ts";
import { asRotationError } from "../../src/lib/errors.ts";
import type { Engine } from "../../src/rotation/engine-api.ts";
import { policyOf, startProcess } from "./connect.ts";
import type { SimProcess } from "./process.ts";
import type { World } from "./world.ts";

const MINUTE = 60_000;
const HEARTBEAT = 12 * 60 * MINUTE;
/** How long a command typed by an operator follows what it asked for. */
const FOLLOWS = 2 * MINUTE;

/** Who starts processes of keyturn, and starts them again: a supervisor, a CronJob, operators at a terminal. */
export class Crew {
  readonly #world: World;
  #commands = 0;
  #ended = false;

  constructor(world: World) {
    this.#world = world;
  }

  /** The workers and CronJobs of the plan. */
  begin(): void {
    const { workers, cron } = this.#world.plan;
    for (let index = 1; index <= workers; index += 1) this.worker(`worker-${index}`);
    if (cron !== undefined) void this.#cronJob(cron);
  }

  /** Nobody starts anything any more, and what runs is killed. */
  end(): void {
    this.#ended = true;
    for (const process of this.#world.processes) process.kill();
    this.#world.processes.clear();
  }

  resume(): void {
    this.#ended = false;
  }

  /** A long-running worker, until it is killed or told to stop. */
  worker(name: string): SimProcess {
    const { process, opened } = startProcess(this.#world, name);
    this.#world.trace.write(name, "starts");
    void opened
      .then(
        (engine) => this.#work(process, engine),
        (error) => {
          this.#ends(name, error);
          this.#world.processes.delete(process);
          this.#restart(name, MINUTE);
        },
      )
      .catch((error) => this.#ends(name, error));
    return process;
  }

  async #work(process: SimProcess, engine: Engine): Promise<void> {
    const log = { error: () => {}, debug: () => {} } as never;
    const { clock, stop } = process;
    const bell = new Bell();
    process.reload = () => {
      engine.reload(policyOf(this.#world, process.installation));
      bell.ring();
    };
    await keepPassing({
      engine,
      clock,
      log,
      signal: stop.signal,
      heartbeat: HEARTBEAT,
      bell,
      tryWriting: async () => {},
      observer: {},
    });
    await this.#leave(process, engine);
  }

  #ends(name: string, thrown: unknown): void {
    const error = asRotationError(thrown);
    this.#world.trace.write(name, `ends: ${error.message}`);
    if (error.code === "internal") this.#world.observer.violated(8, `${name} fell over: ${error.message}`);
  }

  /** SIGKILL, and a supervisor that starts it again after a while. */
  kill(process: SimProcess, moment: "before" | "within" | "after", restartAfter: number): void {
    this.#world.count("kills");
    this.#world.trace.write(process.name, `is killed ${moment} its call takes effect`);
    process.kill(moment);
    this.#world.processes.delete(process);
    if (process.name.startsWith("worker")) this.#restart(process.name, restartAfter);
  }

  /** SIGKILL to every process; the workers are started again. */
  killWorkers(): void {
    for (const process of [...this.#world.processes]) this.kill(process, "before", 1_000);
  }

  /** A worker's pod is evicted: SIGTERM, and SIGKILL after the grace period; another pod starts meanwhile. */
  evict(grace: number): void {
    for (const process of [...this.#world.processes]) {
      if (!process.name.startsWith("worker")) continue;
      process.stop.abort();
      void this.#world.timeline.sleep(grace).then(() => process.kill());
      this.#world.processes.delete(process);
      this.#restart(process.name, 1_000);
    }
  }

  /** SIGHUP to every worker: each goes on with the policy as it is then. */
  reloadWorkers(): void {
    for (const process of this.#world.processes) process.reload?.();
  }

  /** SIGTERM to every worker; each is started again with the policy as it is then. */
  restartWorkers(): void {
    for (const process of [...this.#world.processes]) {
      if (!process.name.startsWith("worker")) continue;
      process.stop.abort();
      this.#world.processes.delete(process);
      this.#restart(process.name, 1_000);
    }
  }

  /** A command at a terminal: whatever it asks for, then a pass that follows it. */
  command(
    what: string,
    key: string,
    requests: Parameters<Engine["request"]>[1][],
    installation = "prod",
  ): Promise<void> {
    this.#commands += 1;
    const name = `cli-${this.#commands}`;
    const { process, opened } = startProcess(this.#world, name, installation);
    this.#world.trace.write(name, `rotate ${what} ${key}`);
    const run = async () => {
      const engine = await opened;
      for (const request of requests) await engine.request(key, request);
      return await engine.pass({
        keys: [key],
        deadline: process.clock.now() + FOLLOWS,
        start: true,
        until: "completed",
        signal: process.stop.signal,
      });
    };
    return this.#shown(name, run).then(() => this.#leaveOnce(process, opened));
  }

  /** One pass over everything, as a CronJob makes it. */
  once(name: string, installation = "prod"): Promise<void> {
    const { process, opened } = startProcess(this.#world, name, installation);
    this.#world.trace.write(name, "rotate once");
    const run = async () =>
      await (await opened).pass({
        deadline: process.clock.now() + FOLLOWS,
        start: true,
        until: "deleted",
        signal: process.stop.signal,
      });
    return this.#shown(name, run).then(() => this.#leaveOnce(process, opened));
  }

  async #cronJob(every: number): Promise<void> {
    for (let run = 1; !this.#ended; run += 1) {
      await this.#world.timeline.sleep(every);
      if (!this.#ended) void this.once(`cron-${run}`);
    }
  }

  async #shown(name: string, run: () => ReturnType<Engine["pass"]>): Promise<void> {
    const { trace, logged } = this.#world;
    try {
      const results = await run();
      logged.push(JSON.stringify(results));
      for (const { key, outcome, message } of results)
        if (outcome !== "idle") trace.write(name, `result of ${key}: ${outcome} (${message})`);
    } catch (thrown) {
      const error = asRotationError(thrown);
      logged.push(`${error.stack} ${error.hint}`);
      trace.write(name, `ends with ${error.code}: ${error.message}`);
      if (error.code === "internal") this.#world.observer.violated(8, `${name} fell over: ${error.message}`);
    }
  }

  #restart(name: string, after: number): void {
    void this.#world.timeline.sleep(after).then(() => {
      if (!this.#ended) this.worker(name);
    });
  }

  async #leaveOnce(process: SimProcess, opened: Promise<Engine>): Promise<void> {
    const engine = await opened.catch(() => undefined);
    if (engine) await this.#leave(process, engine);
    else this.#world.processes.delete(process);
  }

  async #leave(process: SimProcess, engine: Engine): Promise<void> {
    this.#world.processes.delete(process);
    await engine.close();
  }
}
