import type { ChildProcess } from "node:child_process";
import { redactOutput } from "../lib/redact.ts";
import { fillTemplate } from "../lib/template.ts";
import { templateValues } from "./expectation.ts";
import type { ProbeParts } from "./parts.ts";
import type { Expected } from "./probe.ts";

export type ExecOutcome =
  | { end: "exit"; code: number; lastLine: string }
  /** A signal ended it that was not ours. */
  | { end: "signal"; signal: string; lastLine: string }
  /** It could not be started. */
  | { end: "not-started"; code: string }
  /** We ended it, with all that it had started. */
  | { end: "timeout" }
  | { end: "stopped" };

/** So much of the end of what it prints is kept. */
const KEPT = 4_096;
/** After the exit, so long is waited for the end of its output, which a process left behind may hold open. */
const OUTPUT_GRACE_MS = 200;

/**
 * Runs a command without a shell, `{fingerprint}` and the like filled into its arguments, in a
 * process group of its own. It gets PATH, HOME and KEYTURN_FINGERPRINT, _HASH, _LABEL, _VERSION,
 * _KEY_NAME, and nothing else of our environment. Of its output the last line is kept, redacted.
 * Never throws for what the command does.
 */
export async function runCommand(
  command: readonly string[],
  expected: Expected,
  timeoutMs: number,
  parts: Pick<ProbeParts, "run" | "clock" | "env">,
  signal?: AbortSignal,
): Promise<ExecOutcome> {
  if (signal?.aborted) return { end: "stopped" };
  const values = templateValues(expected);
  const [file = "", ...args] = command.map((part) => fillTemplate(part, values));
  let child: ChildProcess;
  try {
    child = parts.run(file, args, {
      env: environment(expected, parts.env),
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
      shell: false,
    });
  } catch (thrown) {
    return { end: "not-started", code: (thrown as NodeJS.ErrnoException).code ?? "error" };
  }
  const over = new AbortController();
  const patience = signal ? AbortSignal.any([over.signal, signal]) : over.signal;
  const given = parts.clock.sleep(timeoutMs, patience).then((): ExecOutcome => {
    return { end: signal?.aborted ? "stopped" : "timeout" };
  });
  const outcome = await Promise.race([ended(child, parts, patience), given]);
  over.abort();
  if (outcome.end === "timeout" || outcome.end === "stopped") killGroup(child);
  child.stdout?.destroy();
  child.stderr?.destroy();
  return outcome;
}

async function ended(
  child: ChildProcess,
  { clock }: Pick<ProbeParts, "clock">,
  patience: AbortSignal,
): Promise<ExecOutcome> {
  const lastLine = collect(child);
  const closed = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const exit = await new Promise<[number | null, string | null] | string>((resolve) => {
    child.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? "error"));
    child.once("exit", (code, signal) => resolve([code, signal]));
  });
  if (typeof exit === "string") return { end: "not-started", code: exit };
  await Promise.race([closed, clock.sleep(OUTPUT_GRACE_MS, patience)]);
  const [code, signal] = exit;
  return code === null
    ? { end: "signal", signal: signal ?? "a signal", lastLine: lastLine() }
    : { end: "exit", code, lastLine: lastLine() };
}

/** Reads on without end, keeps the end. A line whose start is lost is not shown: redaction could miss what is cut. */
function collect(child: ChildProcess): () => string {
  let tail = Buffer.alloc(0);
  let cut = false;
  const add = (chunk: Buffer) => {
    cut ||= tail.length + chunk.length > KEPT;
    tail = Buffer.concat([tail, chunk]).subarray(-KEPT);
  };
  child.stdout?.on("data", add).on("error", () => {});
  child.stderr?.on("data", add).on("error", () => {});
  return () => {
    const lines = tail.toString("utf8").split(/[\r\n]+/);
    if (cut) lines.shift();
    return redactOutput(lines.findLast((line) => line.trim() !== "")?.trim() ?? "");
  };
}

function environment(expected: Expected, env: ProbeParts["env"]): Record<string, string> {
  return {
    ...(env.PATH !== undefined && { PATH: env.PATH }),
    ...(env.HOME !== undefined && { HOME: env.HOME }),
    KEYTURN_KEY_NAME: expected.keyNames[0] ?? "",
    KEYTURN_FINGERPRINT: expected.fingerprint,
    KEYTURN_HASH: expected.hash,
    KEYTURN_LABEL: expected.label,
    KEYTURN_VERSION: expected.version,
  };
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // The group has ended by itself.
  }
}
