import type { Clock } from "../lib/clock.ts";
import { directSend } from "../lib/http-direct.ts";
import { Secret } from "../lib/secret.ts";
import type { KeyResult } from "../rotation/report.ts";
import type { ConsumerStats, Sandbox } from "../sandbox/sandbox.ts";
import type { DemoProof, ProofKey } from "./render/proof.ts";

/**
 * Notes how the sandbox, and the key that is current, stand before a rotation. What it gives, called after the rotation, stops
 * the traffic, waits for the requests under way, looks again from outside and says what it saw.
 */
export async function witness(
  sandbox: Sandbox,
  clock: Clock,
  currentKey: () => Promise<Secret>,
): Promise<(result: KeyResult) => Promise<DemoProof>> {
  const startedAt = clock.now();
  const before = sandbox.stats();
  const keysBefore = keysOf(sandbox);
  const oldKey = await currentKey();

  return async ({ key, outcome, message, oldHash = "" }) => {
    const tookMs = clock.now() - startedAt;
    await sandbox.stopTraffic();
    const consumers = since(before, sandbox.stats());
    return {
      key,
      outcome,
      message,
      requests: {
        sent: consumers.reduce((sum, { sent }) => sum + sent, 0),
        failed: consumers.reduce((sum, { failed }) => sum + failed, 0),
      },
      consumers,
      keysBefore,
      keysAfter: keysOf(sandbox),
      oldKey: { hash: oldHash, status: await answerTo(oldKey, sandbox) },
      tookMs,
    };
  };
}

/** The status with which the provider answers a key. */
async function answerTo(key: Secret, { providerUrl }: Sandbox): Promise<number> {
  const { status } = await directSend()({
    method: "GET",
    url: `${providerUrl}/key`,
    headers: { authorization: new Secret(`Bearer ${key.reveal()}`) },
    timeoutMs: 10_000,
    maxBytes: 100_000,
  });
  return status;
}

function keysOf({ model }: Sandbox): ProofKey[] {
  return model.allKeys().map(({ hash, name, label }) => ({ hash, name, label }));
}

function since(before: readonly ConsumerStats[], after: readonly ConsumerStats[]): ConsumerStats[] {
  return after.map((now, i) => {
    const then = before[i] ?? { sent: 0, failed: 0, failures: [] };
    return {
      name: now.name,
      sent: now.sent - then.sent,
      failed: now.failed - then.failed,
      failures: now.failures.slice(then.failures.length),
    };
  });
}
