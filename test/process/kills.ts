import { createHash } from "node:crypto";
import { builtCommand } from "./built.ts";
import { type Place, type PlaceName, startPlace } from "./places.ts";
import { rotate } from "./world.ts";

const NOW = ["--now", "payments-api"];
/** Kills that one world lives through: AWS keeps no more than a hundred versions of a day. */
const KILLS_A_WORLD = 12;
/** Worlds at the same time: most of a rotation is waiting. */
const WORLDS = 4;

/**
 * Nothing outside changes from the end of one site to the beginning of the next, so to be killed
 * after the one is to be killed before the other: only the very first has a `before` of its own.
 */
const FIRST = "commit:1:before";
const MOMENTS = {
  commit: ["after"],
  rename: ["after"],
  call: ["within", "after"],
  request: ["within", "after"],
} as const;
type Kind = keyof typeof MOMENTS;

/** How many sites of each kind a whole rotation comes to. */
export async function countSites(name: PlaceName): Promise<Record<Kind, number>> {
  await using place = await startPlace(name);
  const { status, counts, stdout, stderr } = await rotate(place.world, NOW, {
    count: true,
    cli: await builtCommand(),
  });
  if (status !== 0) throw new Error(`${stdout}${stderr}`);
  return counts as Record<Kind, number>;
}

/** What came of the kills: the sites that were killed at, those that a run did not come to, and all that was wrong. */
export interface Tally {
  killed: string[];
  missed: string[];
  faults: string[];
}

/**
 * Kills a rotation at every `every`th of the sites, starts the command again each time, and looks at
 * the world. Worlds live on from kill to kill, while their consumers never stop.
 */
export async function killAtSites(
  name: PlaceName,
  counts: Record<Kind, number>,
  every: number,
): Promise<Tally> {
  const queue = sites(counts).filter((_, index) => index % every === 0);
  const tally: Tally = { killed: [], missed: [], faults: [] };
  const inWorlds = async () => {
    while (queue.length > 0) {
      await using place = await startPlace(name);
      for (let kills = 0; kills < KILLS_A_WORLD; kills += 1) {
        const site = queue.shift();
        if (site === undefined) break;
        const wrong = await killAndRecover(place, site, tally);
        tally.faults.push(...wrong.map((fault) => `${site}: ${fault}`));
        // What is broken once says nothing about the next kill.
        if (wrong.length > 0) break;
      }
    }
  };
  await Promise.all(Array.from({ length: WORLDS }, inWorlds));
  return tally;
}

function sites(counts: Record<Kind, number>): string[] {
  const all = (Object.keys(MOMENTS) as Kind[]).flatMap((kind) =>
    Array.from({ length: counts[kind] }, (_, index) =>
      MOMENTS[kind].map((moment) => `${kind}:${index + 1}:${moment}`),
    ).flat(),
  );
  return [FIRST, ...all];
}

/** Kills a rotation at a site, starts the command again, and says what is wrong then. */
async function killAndRecover(place: Place, site: string, tally: Tally): Promise<string[]> {
  const { world } = place;
  const { model } = world.sandbox;
  const cli = await builtCommand();
  const sent = () => world.sandbox.stats().map((consumer) => consumer.sent);
  const first = hashOf(place.current());
  const before = sent();
  const killed = await rotate(world, NOW, { killAt: site, cli });
  const atDeath = model.liveKeys().filter((key) => !key.disabled);
  const again = await rotate(world, NOW, { cli });
  const after = sent();
  const current = hashOf(place.current());
  (killed.signal === "SIGKILL" ? tally.killed : tally.missed).push(site);
  const live = model.liveKeys().map(({ hash, disabled }) => `${disabled ? "disabled " : ""}${hash}`);
  const failures = world.sandbox.stats().flatMap((consumer) => consumer.failures);
  const serving = await Promise.all(
    [world.sandbox.env.PAYMENTS_URL, world.sandbox.env.BILLING_URL].map((url) => servingAt(url as string)),
  );
  const said = `${again.stdout}${again.stderr}`;
  return [
    killed.signal !== "SIGKILL" && killed.status !== 0 && `ended with ${killed.status}: ${killed.stderr}`,
    again.status !== 0 && `the next run ended with ${again.status}: ${said}`,
    atDeath.length === 0 && "no key was alive at the kill",
    failures.length > 0 && `requests failed: ${failures.join("; ")}`,
    after.some((count, index) => count <= (before[index] ?? 0)) && "a consumer sent nothing meanwhile",
    live.join() !== current && `alive at the provider: ${live.join(", ")}; current: ${current}`,
    current === first && "the key was not replaced",
    serving.some((fingerprint) => fingerprint !== `sha256:${current}`) &&
      `served with: ${serving.join(", ")}`,
    ...place.leftovers().map((left) => `left in the store: ${left}`),
  ].filter((fault) => fault !== false);
}

async function servingAt(url: string): Promise<string> {
  const answer = (await (await fetch(`${url}/healthz`)).json()) as {
    keys: Record<string, { serving: string }>;
  };
  return answer.keys["payments-api"]?.serving ?? "nothing";
}

function hashOf(key: string): string {
  return createHash("sha256").update(key).digest("hex");
}
