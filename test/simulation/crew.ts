import { Bell, keepPassing } from "../../src/commands/keep-passing.ts";
import { asRotationError } from "../../src/lib/errors.ts";
import type { Engine } from "../../src/rotation/engine-api.ts";
import { startProcess } from "./connect.ts";
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
    const { process, engine } = startProcess(this.#world, name);
    this.#world.trace.write(name, "starts");
    const log = { error: () => {}, debug: () => {} } as never;
    void keepPassing({
      engine,
      clock: process.clock,
      log,
      signal: process.stop.signal,
      heartbeat: HEARTBEAT,
      bell: new Bell(),
    })
      .then(() => this.#leave(process, engine))
      .catch((error) => this.#world.trace.write(name, `ends: ${asRotationError(error).message}`));
    return process;
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
    const { process, engine } = startProcess(this.#world, name, installation);
    this.#world.trace.write(name, `rotate ${what} ${key}`);
    const run = async () => {
      for (const request of requests) await engine.request(key, request);
      return await engine.pass({
        keys: [key],
        deadline: process.clock.now() + FOLLOWS,
        start: true,
        until: "completed",
        signal: process.stop.signal,
      });
    };
    return this.#shown(name, run).then(() => this.#leave(process, engine));
  }

  /** One pass over everything, as a CronJob makes it. */
  once(name: string, installation = "prod"): Promise<void> {
    const { process, engine } = startProcess(this.#world, name, installation);
    this.#world.trace.write(name, "rotate once");
    const run = () =>
      engine.pass({
        deadline: process.clock.now() + FOLLOWS,
        start: true,
        until: "deleted",
        signal: process.stop.signal,
      });
    return this.#shown(name, run).then(() => this.#leave(process, engine));
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

  async #leave(process: SimProcess, engine: Engine): Promise<void> {
    this.#world.processes.delete(process);
    await engine.close();
  }
}
