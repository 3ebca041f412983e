import { RotationError } from "../lib/errors.ts";
import { loadPolicy } from "../policy/load.ts";
import type { PassOptions } from "../rotation/engine-api.ts";
import type { KeyResult } from "../rotation/report.ts";
import { aroundProxy, SANDBOX_KEY, type Sandbox, startSandbox } from "../sandbox/sandbox.ts";
import { type Context, type Globals, withEngine } from "./context.ts";
import { EXIT } from "./exit.ts";
import { follow } from "./follow.ts";
import { print, printJson } from "./print.ts";
import { phaseLines } from "./render/phase-lines.ts";
import { holds, proofLines } from "./render/proof.ts";
import { renderResult } from "./render/results.ts";
import { canDraw } from "./screen.ts";
import { SHIPPED_POLICY } from "./shipped.ts";
import { witness } from "./witness.ts";

/** How long each of the two passes may take, in milliseconds; the shipped policy needs a tenth. */
const PATIENCE_MS = 90_000;
/** Requests that each consumer has sent before the rotation begins. */
const WARM_UP = 10;

/**
 * `rotate demo`: a rotation by the shipped policy in a sandbox of its own, under live traffic, and
 * the proof that no request failed. Nothing of the person's own policy or environment is used.
 */
export async function demo(globals: Globals, options: { json?: boolean }): Promise<number> {
  const sandbox = await startSandbox();
  try {
    const env = { ...proxies(), ...aroundProxy(process.env), ...sandbox.env };
    await refuseEscape(sandbox, env);
    const logLevel = globals.logLevel ?? (canDraw() ? undefined : "warn");
    return await withEngine(
      { ...globals, policy: SHIPPED_POLICY, logLevel },
      { acts: true, live: true, env },
      (context) => rotateInside(context, sandbox, options),
    );
  } finally {
    await sandbox.close();
  }
}

/** Node may have taken proxies up when it started; named again, they get the way around them. */
function proxies(): NodeJS.ProcessEnv {
  const { NODE_USE_ENV_PROXY, HTTP_PROXY, http_proxy, HTTPS_PROXY, https_proxy } = process.env;
  return NODE_USE_ENV_PROXY === "1" ? { HTTP_PROXY, http_proxy, HTTPS_PROXY, https_proxy } : {};
}

/** In a checkout the shipped policy may have been edited: it must not lead out of the sandbox. */
async function refuseEscape(sandbox: Sandbox, env: NodeJS.ProcessEnv): Promise<void> {
  const { policy } = await loadPolicy(SHIPPED_POLICY, env);
  const inside =
    Object.values(policy.providers).every(({ baseUrl }) => baseUrl === sandbox.providerUrl) &&
    Object.values(policy.stores).every(
      (store) => store.type === "file" && store.path === sandbox.env.KEYTURN_STORE,
    ) &&
    policy.journal.path === sandbox.env.KEYTURN_JOURNAL;
  if (inside) return;
  throw new RotationError("usage", `${SHIPPED_POLICY} leads out of the sandbox, so the demo does not run`, {
    hint: "let it read OPENROUTER_BASE_URL, KEYTURN_STORE and KEYTURN_JOURNAL as it was shipped, and keep your own policy in another file",
  });
}

async function rotateInside(
  context: Context,
  sandbox: Sandbox,
  options: { json?: boolean },
): Promise<number> {
  const { engine, clock, screen, screenStyle, actor, signal } = context;
  const say = (line: string) => screen.print(screenStyle("bold", line));

  say("A provider and two services, payments and billing, run on loopback. Their first key:");
  const first = await watch(context, "completed");
  if (first?.outcome !== "completed") return gaveUp(context, first);
  await warmedUp(context, sandbox);

  say(`Now ${SANDBOX_KEY} is rotated while they send requests with it:`);
  const testify = await witness(sandbox, clock);
  await engine.request(SANDBOX_KEY, { kind: "rotate", actor });
  const result = await watch(context, "deleted");
  if (result === undefined || signal.aborted) return gaveUp(context, result);

  const proof = await testify(result);
  if (options.json) printJson(proof);
  else print(proofLines(proof, SHIPPED_POLICY, context.style).join("\n"));
  return holds(proof) ? EXIT.done : EXIT.failed;
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
