import { asRotationError } from "../lib/errors.ts";
import type { Policy } from "../policy/schema.ts";
import { startTicker } from "../schedule/ticker.ts";
import { Health } from "../telemetry/health.ts";
import { serveHealth } from "../telemetry/server.ts";
import type { Context } from "./context.ts";
import { EXIT } from "./exit.ts";
import { Bell, keepPassing } from "./keep-passing.ts";
import { logProgress } from "./log-progress.ts";

export interface WorkerOptions {
  /** The longest pause between two passes, in milliseconds: how soon a request typed elsewhere is seen. */
  heartbeat: number;
}

/** The loop turns at least once a heartbeat, or once a minute while passes fail; it hangs when it has missed three turns. */
const longestTurn = (heartbeat: number) => 3 * Math.max(heartbeat, 60_000);

/** `rotate worker`: passes over every key until a signal comes. */
export async function worker(context: Context, { heartbeat }: WorkerOptions): Promise<number> {
  const { engine, policy, clock, log, signal } = context;
  const health = new Health(clock, longestTurn(heartbeat));
  const server = policy.server && (await serveHealth(health, policy.server));
  const bell = new Bell();
  const ticker = startTicker({
    schedules: cronSchedules(policy),
    onTick: () => bell.ring(),
    onError: (error) => log.error({ message: asRotationError(error).message }, "a tick failed"),
  });
  log.info({ installation: policy.installation, keys: policy.keys.length }, "the worker is running");
  if (server) log.info({ address: policy.server?.address, port: server.port }, "serves /healthz and /readyz");
  try {
    await keepPassing({ engine, clock, log, signal, heartbeat, bell, health, onProgress: logProgress(log) });
  } finally {
    await ticker.stop();
    await server?.close();
  }
  log.info("the worker has stopped");
  return EXIT.done;
}

function cronSchedules(policy: Policy): { expression: string; timezone: string }[] {
  return policy.keys.flatMap(({ schedule, timezone, suspend }) =>
    suspend || typeof schedule !== "string" || schedule === "none"
      ? []
      : [{ expression: schedule, timezone }],
  );
}
