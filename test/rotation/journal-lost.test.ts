import { describe, expect, test } from "vitest";
import { backup } from "./backup.ts";
import { DAY, hashOf, scenario } from "./scenario.ts";

describe("a journal restored from an older backup", () => {
  test("whatever moment it is from, the current key is neither disabled nor deleted", async () => {
    for (let at = 1; ; at += 1) {
      const world = await scenario({
        key: { schedule: { every: "1d" }, retire: { watch: "1s", keepDisabledFor: "2d" } },
      });
      await world.process().once();
      let commits = 0;
      let restore: (() => void) | undefined;
      const process = world.process({
        before: async (call) => {
          if (call !== "journal.commit") return;
          commits += 1;
          if (commits === at) restore = backup(world);
        },
      });
      await process.now();
      if (restore === undefined) break;
      const current = world.current();
      restore();
      const told = `restored to before commit ${at}`;
      await world.process().once();
      expect(world.model.accepted(current as string), told).toBeDefined();
      await world.process().ask("approve");
      await world.clock.sleep(2 * DAY);
      await world.process().once();
      await world.clock.sleep(3 * DAY);
      await world.process().once();
      expect(world.violations, told).toEqual([]);
      expect(world.model.accepted(world.current() as string), told).toBeDefined();
      expect(world.payments.serving(), told).toEqual([world.current()]);
      expect(hashOf(world.current()), told).not.toBe(hashOf(current));
    }
  });
});
