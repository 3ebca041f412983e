import { readFile } from "node:fs/promises";
import { RotationError } from "../lib/errors.ts";
import { directSend } from "../lib/http-direct.ts";
import { Secret } from "../lib/secret.ts";
import { formatDuration } from "../policy/duration.ts";
import { loadPolicy } from "../policy/load.ts";
import type { PassOptions } from "../rotation/engine-api.ts";
import type { KeyResult, Progress } from "../rotation/report.ts";
import { aroundProxy, type ConsumerStats, SANDBOX_KEY, type Sandbox, startSandbox } from "../sandbox/sandbox.ts";
import { type Context, type Globals, withEngine } from "./context.ts";
import { EXIT } from "./exit.ts";
import { follow } from "./follow.ts";
import { print, printJson } from "./print.ts";
import { type DemoProof, holds, type ProofKey, proofLines } from "./render/proof.ts";
import { renderResult } from "./render/results.ts";
import { canDraw } from "./screen.ts";
import { SHIPPED_POLICY } from "./shipped.ts";

/** How long each of the two passes may take, in milliseconds; the shipped policy needs a tenth. */
const PATIENCE_MS = 90_000;
/** Requests that each consumer has sent before the rotation begins. */
const WARM_UP = 20;

/**
 * `rotate demo`: a rotation by the shipped policy in a sandbox of its own, under live traffic, and
 * the proof that nobody noticed. Nothing of the person's own policy or environment is used.
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
    Object.values(policy.stores).every(({ path }) => path === sandbox.env.KEYTURN_STORE) &&
    policy.journal.path === sandbox.env.KEYTURN_JOURNAL;
  if (inside) return;
  throw new RotationError("usage", `${SHIPPED_POLICY} leads out of the sandbox, so the demo does not run`, {
    hint: "let it read OPENROUTER_BASE_URL, KEYTURN_STORE and KEYTURN_JOURNAL as it did, and keep your own policy in another file",
  });
}

async function rotateInside(
  context: Context,
  sandbox: Sandbox,
  { json }: { json?: boolean },
): Promise<number> {
  const { engine, clock, screen, actor, signal } = context;
  const say = (line: string) => screen.print(context.screenStyle("bold", line));
  say("Sandbox: a provider and two services, payments and billing, on loopback. Their first key:");
  const first = await watch(context, { until: "completed" });
  if (first.outcome !== "completed") return failed(context, first);
  await warmUp(context, sandbox);

  const keysBefore = keysOf(sandbox);
  const statsBefore = sandbox.stats();
  const oldKey = await servedKey(sandbox);
  const startedAt = clock.now();
  say(`Its rotation, while they send ${Math.round(rate(sandbox, statsBefore))} requests per second:`);
  await engine.request(SANDBOX_KEY, { kind: "rotate", actor });
  const result = await watch(context, { until: "deleted" });
  const tookMs = clock.now() - startedAt;
  await sandbox.stopTraffic();
  if (signal.aborted) return failed(context, result);

  const consumers = since(statsBefore, sandbox.stats());
  const proof: DemoProof = {
    key: SANDBOX_KEY,
    outcome: result.outcome,
    message: result.message,
    requests: { sent: sum(consumers, "sent"), failed: sum(consumers, "failed") },
    consumers,
    keysBefore,
    keysAfter: keysOf(sandbox),
    oldKey: { hash: result.oldHash ?? "", status: await answerTo(oldKey, sandbox) },
    tookMs,
  };
  if (json) printJson(proof);
  else print(`\n${proofLines(proof, SHIPPED_POLICY, context.style).join("\n")}`);
  return holds(proof) ? EXIT.done : EXIT.failed;
}
