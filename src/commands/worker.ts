import { secretReader } from "../lib/secret-source.ts";
import type { Policy } from "../policy/schema.ts";
import type { Log } from "../rotation/parts.ts";
import { startTicker } from "../schedule/ticker.ts";
import { Health } from "../telemetry/health.ts";
import { serveHttp } from "../telemetry/server.ts";
import { Bell } from "./bell.ts";
import type { Context } from "./context.ts";
import { EXIT } from "./exit.ts";
import { keepPassing } from "./keep-passing.ts";
import { logProgress } from "./log-progress.ts";
import { observers } from "./observer.ts";
import { PolicyWatch } from "./policy-watch.ts";
import { writeTrials } from "./try-writing.ts";

export interface WorkerOptions {
  /** The longest pause between two passes, in milliseconds: how soon a request typed elsewhere is seen. */
  heartbeat: number;
}

/** The loop turns at least once a heartbeat, or once a minute while passes fail; it hangs when it has missed three turns. */
const longestTurn = (heartbeat: number) => 3 * Math.max(heartbeat, 60_000);

/** `rotate worker`: passes over every key until a signal comes. */
export async function worker(context: Context, { heartbeat }: WorkerOptions): Promise<number> {
  await work(context, heartbeat);
  context.log.info("the worker has stopped");
  return EXIT.done;
}

/** Makes the parts, runs them, and stops them in reverse order. */
async function work(context: Context, heartbeat: number): Promise<void> {
  const { engine, policy, clock, log, signal } = context;
  await using parts = new AsyncDisposableStack();
  const health = new Health(clock, longestTurn(heartbeat));
  const metrics = policy.server && (await context.metrics({ process: true }));
  const page = policy.server && (await pageOf(context, health));
  const observer = observers([
    health,
    { onProgress: logProgress(log) },
    ...(metrics ? [metrics] : []),
    ...(page ? [page] : []),
  ]);

  let inForce = policy;
  const readSecret = secretReader(context.env);
  const token = async () => inForce.server?.token && (await readSecret(inForce.server.token));
  const say: Log = (level, fields, message) => log[level](fields, message);
  const served = { health, ...(metrics && { metrics }), ...(page && { page }), token, clock, log: say };
  const server = policy.server && (await serveHttp(served, policy.server));
  if (server) parts.defer(() => server.close());

  const bell = new Bell();
  const ticker = startTicker({
    schedules: cronSchedules(policy),
    onTick: () => bell.ring(),
    onError: (error) => log.error({ err: error }, "a tick failed"),
  });
  parts.defer(() => ticker.stop());

  /** Another policy, in every part that follows it. */
  const take = (next: Policy) => {
    engine.reload(next);
    inForce = next;
    ticker.follow(cronSchedules(next));
    bell.ring();
  };
  const watch = new PolicyWatch({
    file: context.policyFile,
    env: context.env,
    policy,
    text: context.policyText,
    take,
    observer,
    clock,
    log,
    signal,
  });
  context.onHangup(() => watch.ask());

  log.info({ installation: policy.installation, keys: policy.keys.length }, "the worker is running");
  if (server)
    log.info(
      { address: policy.server?.address, port: server.port },
      "serves /healthz, /readyz, /metrics and the status page",
    );
  void watch.run();
  const tryWriting = writeTrials(context.journal, clock, observer);
  await keepPassing({ engine, clock, log, signal, heartbeat, bell, tryWriting, observer });
}

/** Loaded only where it is served. */
async function pageOf({ engine, policy, clock }: Context, health: Health) {
  const { createPage } = await import("../page/page.ts");
  return createPage({ installation: policy.installation, engine, health, clock });
}

function cronSchedules(policy: Policy): { expression: string; timezone: string }[] {
  return policy.keys.flatMap(({ schedule, timezone, suspend }) =>
    suspend || typeof schedule !== "string" || schedule === "none"
      ? []
      : [{ expression: schedule, timezone }],
  );
}
