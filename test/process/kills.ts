import { currentHash, rotate, startWorld } from "./world.ts";

/** Where a run of the command can be killed: before and after each commit, rename and call. */
export function sites(counts: Record<string, number>): string[] {
  return Object.entries(counts).flatMap(([kind, count]) =>
    Array.from({ length: count }, (_, index) => [
      `${kind}:${index + 1}:before`,
      `${kind}:${index + 1}:after`,
    ]).flat(),
  );
}

/** Kills a rotation at a site, starts the command again, and tells what came of it. */
export async function killAndRecover(site: string) {
  const world = await startWorld();
  try {
    const first = currentHash(world);
    const killed = await rotate(world, ["--now", "payments-api"], { killAt: site });
    const atDeath = world.sandbox.model
      .liveKeys()
      .filter((key) => !key.disabled)
      .map((key) => key.hash);
    const again = await rotate(world, ["--now", "payments-api"]);
    await world.sandbox.stopTraffic();
    const failed = world.sandbox.stats().flatMap((consumer) => consumer.failures);
    const live = world.sandbox.model.liveKeys();
    return { first, killed, atDeath, again, failed, live, current: currentHash(world) };
  } finally {
    await world.sandbox.close();
  }
}
