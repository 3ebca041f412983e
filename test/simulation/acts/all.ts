import type { Acts } from "./act.ts";
import { clusterActs } from "./cluster.ts";
import { consumerActs } from "./consumers.ts";
import { hangingActs } from "./hanging.ts";
import { journalActs } from "./journals.ts";
import { operatorActs } from "./operators.ts";
import { processActs } from "./processes.ts";
import { providerActs } from "./provider.ts";
import { storeActs } from "./stores.ts";

/** Everything that may happen to the world. */
export const ACTS: Acts = {
  ...providerActs,
  ...storeActs,
  ...clusterActs,
  ...processActs,
  ...consumerActs,
  ...operatorActs,
  ...journalActs,
  ...hangingActs,
};
