import type { RotationError } from "../../lib/errors.ts";
import type { KeyResult, Progress } from "../../rotation/report.ts";
import { isErrorCode } from "./closed-sets.ts";
import type { Seen } from "./key-metrics.ts";

export interface Watch extends Seen {
  onProgress(progress: Progress): void;
  passed(results: readonly KeyResult[] | RotationError): void;
}

/** Phases in which consumers are waited for. */
const WAITING: readonly string[] = ["promoted", "reverting"];

/** What passes tell of keys on their way, kept as long as it holds. */
export function watch(): Watch {
  const errors = new Map<string, string>();
  /** By key, the consumers that the latest sweep left unconfirmed. */
  const missing = new Map<string, { rotation: string; count: number }>();

  return {
    onProgress(progress) {
      const { key } = progress;
      if (progress.type === "phase") missing.delete(key);
      if (progress.type !== "consumers") return;
      const count = progress.consumers.filter(({ confirmed, waived }) => !confirmed && !waived).length;
      missing.set(key, { rotation: progress.rotation, count });
    },

    passed(results) {
      if (results instanceof Error) return;
      for (const { key, code } of results) {
        if (code === "busy") continue;
        if (code !== undefined && isErrorCode(code)) errors.set(key, code);
        else errors.delete(key);
      }
    },

    waitingConsumers({ key, rotation }, { consumers }) {
      if (rotation === undefined || !WAITING.includes(rotation.phase)) return 0;
      const swept = missing.get(key);
      if (swept?.rotation === rotation.id) return swept.count;
      // Nobody has been asked yet by this process.
      return consumers === "none" ? 0 : consumers.length;
    },

    lastError({ key, rotation }) {
      const code = rotation?.error?.code ?? errors.get(key);
      return code !== undefined && isErrorCode(code) ? code : undefined;
    },
  };
}
