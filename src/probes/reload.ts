import { asRotationError, type ErrorCode, RotationError } from "../lib/errors.ts";
import type { ConsumerPolicy, HttpTarget, ReloadPolicy } from "../policy/schema.ts";
import { detail } from "./detail.ts";
import { runCommand } from "./exec.ts";
import { describeExit } from "./exec-probe.ts";
import { prepareHttp } from "./http-target.ts";
import type { KeyHome } from "./kubernetes/place.ts";
import { reloadKubernetes } from "./kubernetes-reload.ts";
import type { ProbeParts } from "./parts.ts";
import type { Expected, Reload } from "./probe.ts";

/**
 * The consumer's reload hook, if it has one; `home` is where its key is kept. HTTP (POST unless the
 * policy says otherwise): every URL must answer 2xx. Exec: exit 0. Kubernetes: the Secret carries
 * the key and the restart is under way. `run` throws RotationError by what went wrong: `unusable`
 * for what cannot be run or restarted, else what an HTTP status, the API or the connection says,
 * `unclear` for any other ending.
 */
export function createReload(
  consumer: ConsumerPolicy,
  parts: ProbeParts,
  home?: KeyHome,
): Reload | undefined {
  const { name, reload } = consumer;
  if (!reload) return undefined;
  const { http, exec, kubernetes } = reload;
  return {
    consumer: name,
    async run(expected, signal) {
      if (http) await callAll(name, http, reload, parts, signal);
      if (exec) await execute(name, exec, reload, parts, expected, signal);
      if (kubernetes)
        await reloadKubernetes(consumer, kubernetes, reload.timeout, parts, expected, home, signal).catch(
          (thrown) => {
            throw named(name, asRotationError(thrown));
          },
        );
    },
  };
}

async function callAll(
  consumer: string,
  target: HttpTarget,
  { timeout }: ReloadPolicy,
  parts: ProbeParts,
  signal?: AbortSignal,
): Promise<void> {
  const prepared = await prepareHttp(target, { method: "POST", timeoutMs: timeout, signal }, parts);
  const failures = await Promise.all(
    prepared.map(async ({ place, request }) => {
      try {
        const { status, headers } = await parts.send(request);
        return status >= 200 && status <= 299 ? [] : refused(place, status, headers["retry-after"]);
      } catch (thrown) {
        return asRotationError(thrown);
      }
    }),
  );
  const [first, ...more] = failures.flat();
  if (!first) return;
  throw named(consumer, first, more.length > 0 ? ` (and ${more.length} more)` : "");
}

/** The error of a reload, with whose it is. */
function named(consumer: string, error: RotationError, others = ""): RotationError {
  const { code, hint, retryAfterMs, status } = error;
  const message = detail(`reload of ${consumer}: ${error.message}${others}`);
  return new RotationError(code, message, { hint, retryAfterMs, status, cause: error });
}

const CODES: Record<number, ErrorCode> = {
  401: "unauthorized",
  403: "forbidden",
  404: "absent",
  429: "throttled",
};

function refused(place: string, status: number, retryAfter: string | undefined): RotationError {
  const seconds = retryAfter && /^\d{1,6}$/.test(retryAfter) ? Number(retryAfter) : undefined;
  return new RotationError(
    CODES[status] ?? (status >= 500 ? "unclear" : "rejected"),
    `${place} answered HTTP ${status}`,
    {
      status,
      hint: status < 500 && status !== 429 ? "check the reload's URL, method and auth" : undefined,
      retryAfterMs: seconds === undefined ? undefined : seconds * 1_000,
    },
  );
}

async function execute(
  consumer: string,
  command: readonly string[],
  { timeout }: ReloadPolicy,
  parts: ProbeParts,
  expected: Expected,
  signal?: AbortSignal,
): Promise<void> {
  const outcome = await runCommand(command, expected, timeout, parts, signal);
  if (outcome.end === "exit" && outcome.code === 0) return;
  const message = detail(`reload of ${consumer}: ${describeExit(outcome, command, timeout)}`);
  if (outcome.end === "not-started") {
    throw new RotationError("unusable", message, {
      hint: "check that the file exists and may be executed by this user",
    });
  }
  throw new RotationError("unclear", message);
}
