import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 20_000,
    // Many tests wait for child processes: more workers than the usual two cores keep them busy.
    maxWorkers: 4,
  },
});
