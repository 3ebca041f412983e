import { systemClock } from "../../src/lib/clock.ts";
import { fetchSend } from "../../src/lib/http-fetch.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { secretReader } from "../../src/lib/secret-source.ts";
import {
  type OpenRouterConfig,
  openRouterProvider,
  type ProviderParts,
} from "../../src/providers/openrouter/provider.ts";
import type { Provider } from "../../src/providers/provider.ts";

export const NO_LIMIT = { requestsPerSecond: 1000, concurrency: 8 };

/** The client under test, with the management key in an environment of its own. */
export function openRouter(
  managementKey: string,
  config: Partial<OpenRouterConfig> = {},
  parts: Partial<ProviderParts> = {},
): Provider {
  return openRouterProvider(
    "openrouter",
    { managementKey: { env: "OPENROUTER_MANAGEMENT_KEY" }, headers: {}, rateLimit: NO_LIMIT, ...config },
    {
      send: fetchSend(),
      clock: systemClock,
      random: systemRandom,
      readSecret: secretReader({ OPENROUTER_MANAGEMENT_KEY: managementKey }),
      ...parts,
    },
  );
}

/** The error a call ends with; a call that succeeds fails the test. */
export async function failureOf(
  call: Promise<unknown>,
): Promise<import("../../src/lib/errors.ts").RotationError> {
  return call.then(
    () => Promise.reject(new Error("the call succeeded")),
    (error) => error,
  );
}
