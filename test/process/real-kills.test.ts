import { expect, test } from "vitest";
import { killAndRecover, sites } from "./kills.ts";
import { rotate, startWorld } from "./world.ts";

/** All sites where time allows (`npm run test:kills`); every tenth in `npm test`. */
const every = process.env.KEYTURN_TEST_KILLS === "all" ? 1 : 10;

test("a rotation killed by SIGKILL before or after any commit, rename or call is brought to its end by the next run", async () => {
  const world = await startWorld();
  const { counts, status } = await rotate(world, ["--now", "payments-api"], { count: true });
  await world.sandbox.close();
  expect(status).toBe(0);
  const all = sites(counts);
  expect(all.length).toBeGreaterThan(60);
  const chosen = all.filter((_, index) => index % every === 0);
  const queue = [...chosen];
  const worker = async () => {
    for (let site = queue.shift(); site !== undefined; site = queue.shift()) {
      const { killed, again, failed, live, current, first, atDeath } = await killAndRecover(site);
      expect(killed.signal ?? killed.status, `${site}: ${killed.stderr}`).toBe("SIGKILL");
      expect(again.status, `${site}: ${again.stdout}${again.stderr}`).toBe(0);
      expect(failed, site).toEqual([]);
      expect(
        live.map(({ hash, disabled }) => ({ hash, disabled })),
        site,
      ).toEqual([{ hash: current, disabled: false }]);
      expect(current, site).not.toBe(first);
      expect(atDeath.length, site).toBeGreaterThan(0);
    }
  };
  await Promise.all([worker(), worker(), worker()]);
}, 1_200_000);
