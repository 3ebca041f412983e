import { systemClock } from "../../src/lib/clock.ts";
import { fetchSend } from "../../src/lib/http-fetch.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { secretReader } from "../../src/lib/secret-source.ts";
import { type ARouterConfig, arouterProvider } from "../../src/providers/arouter/provider.ts";
import type { ProviderParts } from "../../src/providers/connection.ts";
import type { Provider } from "../../src/providers/provider.ts";
import { NO_LIMIT } from "./open-router.ts";

/** The client under test, with the management key in an environment of its own. */
export function arouter(
  managementKey: string,
  config: Partial<ARouterConfig> = {},
  parts: Partial<ProviderParts> = {},
): Provider {
  return arouterProvider(
    "arouter",
    { managementKey: { env: "AROUTER_MANAGEMENT_KEY" }, headers: {}, rateLimit: NO_LIMIT, ...config },
    {
      send: fetchSend(),
      clock: systemClock,
      random: systemRandom,
      readSecret: secretReader({ AROUTER_MANAGEMENT_KEY: managementKey }),
      ...parts,
    },
  );
}
