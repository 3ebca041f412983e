import { RotationError } from "../lib/errors.ts";
import type { Secret } from "../lib/secret.ts";
import { loadPolicy } from "../policy/load.ts";
import type { StorePolicy } from "../policy/schema.ts";
import type { PassOptions } from "../rotation/engine-api.ts";
import type { KeyResult } from "../rotation/report.ts";
import { aroundProxy, SANDBOX_KEY, type Sandbox } from "../sandbox/sandbox.ts";
import { type Context, type Globals, withEngine } from "./context.ts";
import { EXIT } from "./exit.ts";
import { follow } from "./follow.ts";
import { print, printJson } from "./print.ts";
import { phaseLines } from "./render/phase-lines.ts";
import { type Exhibit, holds, proofLines } from "./render/proof.ts";
import { renderResult } from "./render/results.ts";
import { canDraw } from "./screen.ts";
import { witness } from "./witness.ts";

/** How long each of the two passes may take, in milliseconds; the shipped policies need a tenth. */
const PATIENCE_MS = 90_000;
/** Requests that each consumer has sent before the rotation begins. */
const WARM_UP = 10;

/** Where a rotation is shown. */
export interface Stage {
  sandbox: Sandbox;
  /** The policy's file: it has the sandbox's key, and every place that it names is the stage's. */
  policyFile: string;
  /** The variables that the policy and the clients read, and nothing of the person's own. */
  env: NodeJS.ProcessEnv;
  /** Whether a store of the policy is on the stage. */
  owns(store: StorePolicy): boolean;
  /** The key that consumers are to serve with now. */
  currentKey(): Promise<Secret>;
  /** What a person does once the consumers use their first key, and a sentence that says so. */
  interlude?(): Promise<string>;
  /** What shows, beside the proof, that all went well; looked at when the rotation has ended. */
  exhibit?(): Promise<Exhibit>;
}

/**
 * Makes a first key and rotates it while the sandbox's consumers send requests with it, shows both,
 * and prints the proof that no request failed. Gives the exit status: failed when the proof does
 * not hold. Throws PolicyError, and RotationError `usage` for a policy that leads off the stage.
 */
export async function demonstrate(
  globals: Pick<Globals, "logLevel" | "color">,
  stage: Stage,
  options: { json?: boolean },
): Promise<number> {
  const env = { ...proxies(), ...aroundProxy(process.env), ...stage.env };
  await refuseEscape(stage, env);
  const logLevel = globals.logLevel ?? (canDraw() ? undefined : "warn");
  return await withEngine(
    { ...globals, policy: stage.policyFile, logLevel },
    { acts: true, live: true, env },
    (context) => rotateOn(stage, context, options),
  );
}

/** Node may have taken proxies up when it started; named again, they get the way around them. */
function proxies(): NodeJS.ProcessEnv {
  const { NODE_USE_ENV_PROXY, HTTP_PROXY, http_proxy, HTTPS_PROXY, https_proxy } = process.env;
  return NODE_USE_ENV_PROXY === "1" ? { HTTP_PROXY, http_proxy, HTTPS_PROXY, https_proxy } : {};
}

/** In a checkout a shipped policy may have been edited. */
async function refuseEscape({ sandbox, policyFile, owns }: Stage, env: NodeJS.ProcessEnv): Promise<void> {
  const { policy } = await loadPolicy(policyFile, env);
  const inside =
    Object.values(policy.providers).every(({ baseUrl }) => baseUrl === sandbox.providerUrl) &&
    Object.values(policy.stores).every(owns) &&
    policy.journal.type === "sqlite" &&
    policy.journal.path === sandbox.env.KEYTURN_JOURNAL;
  if (inside) return;
  throw new RotationError("usage", `${policyFile} leads out of the sandbox, so the demo does not run`, {
    hint: "let it read its places from variables as it was shipped, and keep your own policy in another file",
  });
}

async function rotateOn(stage: Stage, context: Context, options: { json?: boolean }): Promise<number> {
  const { engine, clock, screen, screenStyle, actor, signal } = context;
  const { sandbox } = stage;
  const say = (line: string) => screen.print(screenStyle("bold", line));

  say("A provider and two services, payments and billing, run on loopback. Their first key:");
  const first = await watch(context, "completed");
  if (first?.outcome !== "completed") return gaveUp(context, first);
  await warmedUp(context, sandbox);

  if (stage.interlude) say(await stage.interlude());
  say(`Now ${SANDBOX_KEY} is rotated while they send requests with it:`);
  const testify = await witness(sandbox, clock, stage.currentKey);
  await engine.request(SANDBOX_KEY, { kind: "rotate", actor });
  const result = await watch(context, "deleted");
  if (result === undefined || signal.aborted) return gaveUp(context, result);

  const proof = await testify(result);
  const exhibit = await stage.exhibit?.();
  if (options.json) printJson({ ...proof, ...exhibit?.json });
  else print(proofLines(proof, stage.policyFile, context.style, exhibit).join("\n"));
  return holds(proof, exhibit) ? EXIT.done : EXIT.failed;
}

/** A pass over the one key, shown as it goes. */
async function watch(context: Context, until: PassOptions["until"]): Promise<KeyResult | undefined> {
  const { engine, clock, screen, signal } = context;
  const now = clock.now();
  const options = { keys: [SANDBOX_KEY], deadline: now + PATIENCE_MS, start: true, until };
  if (screen.live) return (await follow(context, options))[0];
  const lines = phaseLines(now);
  const [result] = await engine.pass({
    ...options,
    signal,
    onProgress: (progress) => {
      const line = lines(progress, clock.now());
      if (line !== undefined) screen.print(line);
    },
  });
  return result;
}

async function warmedUp({ clock, signal }: Context, sandbox: Sandbox): Promise<void> {
  const enough = () => sandbox.stats().every(({ sent }) => sent >= WARM_UP);
  while (!enough() && !signal.aborted) await clock.sleep(50, signal);
}

function gaveUp({ screen, screenStyle, signal }: Context, result: KeyResult | undefined): number {
  if (signal.aborted) screen.print("rotate: the demo was interrupted; nothing of it is left");
  else if (result) screen.print(renderResult(result, screenStyle));
  return EXIT.failed;
}
