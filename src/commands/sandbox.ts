import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { constants } from "node:os";
import { resolve } from "node:path";
import { RotationError } from "../lib/errors.ts";
import type { ProviderType } from "../sandbox/provider-kinds.ts";
import { aroundProxy, SANDBOX_KEY, type Sandbox, startSandbox } from "../sandbox/sandbox.ts";
import type { Globals } from "./context.ts";
import { EXIT } from "./exit.ts";
import { print } from "./print.ts";
import { trafficLines } from "./render/traffic.ts";
import { OWN_PROGRAM, SHIPPED_AROUTER_POLICY, SHIPPED_POLICY } from "./shipped.ts";
import { takeSignals } from "./signals.ts";

export interface SandboxCommandOptions {
  port: number;
  provider: ProviderType;
  dialect: readonly string[];
  fault: readonly string[];
  /** Milliseconds, as all that follow. */
  activationDelay: number;
  disableDelay: number;
  listDelay: number;
  latency: number;
  /** Folder for store and journal that stays. */
  keep?: string;
}

/**
 * `rotate sandbox [-- COMMAND…]`: a provider and two services on loopback, until a signal comes or
 * the command has ended, and then what the services' requests came to.
 */
export async function sandbox(
  globals: Globals,
  command: readonly string[],
  options: SandboxCommandOptions,
): Promise<number> {
  const { port, provider, dialect, fault, keep, activationDelay, disableDelay, listDelay, latency } = options;
  const interrupt = command.length === 0 ? takeSignals() : undefined;
  const sandbox = await startSandbox({
    port,
    provider,
    dialect,
    faults: fault,
    folder: keep,
    knobs: { activationDelay, disableDelay, listDelay, latency },
  });
  try {
    const env = variables(globals, sandbox, provider);
    if (interrupt) {
      tellHowToUse(env);
      await aborted(interrupt.signal);
      return EXIT.done;
    }
    return await run(command, { ...process.env, ...env });
  } finally {
    await sandbox.stopTraffic();
    for (const line of trafficLines(sandbox.stats())) process.stderr.write(`${line}\n`);
    await sandbox.close();
    interrupt?.dispose();
  }
}

/** The sandbox's, a way around a proxy, and a policy: the one named, else the shipped one. */
function variables(globals: Globals, { env }: Sandbox, provider: ProviderType): Record<string, string> {
  return { ...env, KEYTURN_POLICY: policyFor(globals, provider), ...aroundProxy(process.env) };
}

/** A rotation.yaml that merely lies here is for OpenRouter, and would lead out of a sandbox of another provider. */
function policyFor({ policy }: Globals, provider: ProviderType): string {
  if (policy !== "./rotation.yaml") return resolve(policy);
  if (provider === "arouter") return SHIPPED_AROUTER_POLICY;
  return existsSync(policy) ? resolve(policy) : SHIPPED_POLICY;
}

function tellHowToUse(env: Record<string, string>): void {
  process.stderr.write(
    `The sandbox runs. In another terminal paste the lines below, then for example:
  rotate once                  a first key for the two services
  rotate --now ${SANDBOX_KEY}    its rotation, under their traffic
  rotate status
Ctrl-C here ends it and says how many requests failed.

`,
  );
  print(
    Object.entries(env)
      .map(([name, value]) => `export ${name}=${quoted(value)}`)
      .join("\n"),
  );
}

function quoted(value: string): string {
  return /^[\w@%+=:,./-]+$/.test(value) ? value : `'${value.replaceAll("'", "'\\''")}'`;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

/**
 * Runs a command to its end and gives its exit status, 128 and the signal's number when one ended
 * it. `rotate` and `keyturn` are this program, whether on PATH or not. Throws RotationError `usage`
 * when it cannot be started.
 */
async function run(command: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const [name = "", ...words] = command;
  const own = name === "rotate" || name === "keyturn";
  const child = spawn(own ? process.execPath : name, own ? [OWN_PROGRAM, ...words] : words, {
    stdio: "inherit",
    env,
  });
  // Ctrl-C reaches the child from the terminal; twice would be told as impatience.
  const forwarded = (signal: NodeJS.Signals) => {
    if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal);
  };
  process.on("SIGINT", forwarded).on("SIGTERM", forwarded);
  try {
    return await new Promise((resolve, reject) => {
      child.once("error", (cause: NodeJS.ErrnoException) => reject(notStarted(name, cause)));
      child.once("exit", (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)));
    });
  } finally {
    process.off("SIGINT", forwarded).off("SIGTERM", forwarded);
  }
}

function notStarted(name: string, cause: NodeJS.ErrnoException): RotationError {
  return new RotationError("usage", `${name} cannot be started (${cause.code ?? cause.message})`, {
    hint: "no shell is involved: check the name and PATH, or run it as: sh -c '…'",
    cause,
  });
}
