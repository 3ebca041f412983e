import { ALLOW_PROGRAMS } from "../lib/permissions.ts";
import type { ConsumerPolicy } from "../policy/schema.ts";
import { detail } from "./detail.ts";
import { type ExecOutcome, runCommand } from "./exec.ts";
import type { Judgement } from "./judgement.ts";
import type { ProbeParts } from "./parts.ts";
import type { Probe } from "./probe.ts";

/**
 * Asks by running a command: exit 0 confirms, 1 says that another key is served, anything else is
 * unwell; one that cannot be started or does not end in time is silent. It speaks for one instance.
 */
export function execProbe(consumer: ConsumerPolicy, command: readonly string[], parts: ProbeParts): Probe {
  const { name, probe } = consumer;
  const wanted = probe.instances ?? 1;
  return {
    consumer: name,
    async sweep(expected, signal) {
      const judged = judgeExit(
        await runCommand(command, expected, probe.timeout, parts, signal),
        command,
        probe.timeout,
      );
      return {
        consumer: name,
        instances: [{ instance: "exec", verdict: judged.verdict, detail: detail(judged.detail) }],
        ...(wanted > 1 && { problem: `a command speaks for one instance, and ${wanted} are asked for` }),
      };
    },
  };
}

function judgeExit(outcome: ExecOutcome, command: readonly string[], timeoutMs: number): Judgement {
  const said = describeExit(outcome, command, timeoutMs);
  if (outcome.end === "signal") return { verdict: "unwell", detail: said };
  if (outcome.end !== "exit") return { verdict: "silent", detail: said };
  if (outcome.code === 0) return { verdict: "confirms", detail: outcome.lastLine || said };
  return { verdict: outcome.code === 1 ? "other" : "unwell", detail: said };
}

const NOT_STARTED: Readonly<Record<string, string>> = {
  ENOENT: "no such file",
  EACCES: "not executable",
  ERR_ACCESS_DENIED: `Node's permission model refuses it: ${ALLOW_PROGRAMS}`,
};

/** How a command ended, in one clause. */
export function describeExit(outcome: ExecOutcome, [file]: readonly string[], timeoutMs: number): string {
  if (outcome.end === "not-started") {
    return `${file} cannot be run (${NOT_STARTED[outcome.code] ?? outcome.code})`;
  }
  if (outcome.end === "timeout") return `${file} did not end within ${timeoutMs / 1_000}s`;
  if (outcome.end === "stopped") return `${file} was stopped`;
  const how = outcome.end === "exit" ? `exit ${outcome.code}` : outcome.signal;
  return outcome.lastLine ? `${how}: ${outcome.lastLine}` : how;
}
