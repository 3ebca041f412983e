import type { Engine } from "../rotation/engine-api.ts";
import type { Courier } from "./courier.ts";

/** How long a command waits at its end for what is still to be delivered, in milliseconds. */
const LAST_NOTICES_MS = 5_000;

/** The engine, with a courier that is told of its passes and stops before the journal is closed. */
export function notifying(engine: Engine, courier: Pick<Courier, "passed" | "stop">): Engine {
  return {
    ...engine,
    async pass(options) {
      const results = await engine.pass(options);
      // A pass that was stopped has not gone through.
      if (!options.signal?.aborted) courier.passed(results);
      return results;
    },
    async close() {
      await courier.stop(LAST_NOTICES_MS);
      await engine.close();
    },
  };
}
