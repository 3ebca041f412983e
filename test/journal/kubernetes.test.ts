import { PODS } from "../../src/kubernetes/api.ts";
import { describeJournal } from "../conformance/journal.ts";
import { CONFIG, JournalBench } from "./kubernetes-bench.ts";

describeJournal("kubernetes", async () => {
  const bench = new JournalBench();
  return {
    clock: bench.clock,
    open: () => bench.open(),
    dieHolding: async (target, ttlMs) => {
      const { journal, pod } = await bench.process();
      await journal.acquire(target, ttlMs);
      const found = bench.model.find(PODS, CONFIG.namespace, pod);
      if (found) bench.model.finish(found);
    },
    overwrite: async (target, text) => bench.overwrite(target, text),
    dispose: async () => {},
  };
});
