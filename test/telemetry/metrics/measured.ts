import { openRouterProvider } from "../../../src/providers/openrouter/provider.ts";
import type { Provider } from "../../../src/providers/provider.ts";
import type { KeyStatus } from "../../../src/rotation/report.ts";
import { handlerSend } from "../../../src/sandbox/handler-send.ts";
import { openRouterApi } from "../../../src/sandbox/openrouter-api.ts";
import { memoryStore } from "../../../src/stores/memory.ts";
import { MeterPoint } from "../../../src/telemetry/metrics/call-meter.ts";
import { meteredProvider, meteredStore } from "../../../src/telemetry/metrics/metered.ts";
import { createMetrics } from "../../../src/telemetry/metrics/metrics.ts";
import { type Scenario, type ScenarioOptions, scenario } from "../../rotation/scenario.ts";
import { type Family, parseExposition } from "./exposition.ts";

export interface MeasuredOptions extends ScenarioOptions {
  process?: boolean;
  /** In place of the engine's. */
  status?: (real: () => Promise<KeyStatus[]>) => Promise<KeyStatus[]>;
  /** In place of the sandbox's, for the walks. */
  provider?: Provider;
}

/** A world with one process whose store and usage walks are measured, and its metrics. */
export async function measured({ process = false, status, provider, ...options }: MeasuredOptions = {}) {
  const world = await scenario(options);
  const { clock } = world;
  const meter = new MeterPoint();
  const store = meteredStore(memoryStore("local", { clock, backing: world.backing }), { meter, clock });
  const worker = world.process({ store });
  const walked = provider ?? meteredProvider(providerOf(world, meter), { meter, clock });
  const real = () => worker.engine.status();
  const metrics = createMetrics({
    version: "1.2.3",
    clock,
    process,
    keys: {
      policy: () => worker.engine.policy(),
      status: () => (status ? status(real) : real()),
      provider: () => walked,
    },
  });
  meter.attach(metrics);
  const { onProgress } = metrics;
  return {
    world,
    worker,
    metrics,
    /** A text later than any before it. */
    async scrape(): Promise<Map<string, Family>> {
      clock.set(clock.now() + 1_000);
      return parseExposition(await metrics.text());
    },
    async rotate() {
      const result = await worker.now({ onProgress });
      metrics.passed([result], 1_000);
      return result;
    },
  };
}

function providerOf(world: Scenario, meter: MeterPoint) {
  const { clock, random } = world;
  return openRouterProvider(
    "openrouter",
    {
      baseUrl: "http://openrouter.test/api/v1",
      managementKey: { env: "MANAGEMENT" },
      headers: {},
      rateLimit: { requestsPerSecond: 1, concurrency: 1 },
    },
    {
      send: (request) =>
        handlerSend((incoming) => openRouterApi(world.model, world.faults)(incoming), clock)(request),
      clock,
      random,
      readSecret: async () => world.managementKey,
      onThrottled: (ms) => meter.throttled("provider", "openrouter", ms),
    },
  );
}
