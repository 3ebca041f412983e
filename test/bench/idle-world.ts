import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ArchivedTarget } from "../../src/journal/archive.ts";
import type { PolicySnapshot } from "../../src/journal/document.ts";
import { sqlitePlace } from "../../src/journal/sqlite/place.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { randomId, systemRandom } from "../../src/lib/random.ts";
import { loadPolicy } from "../../src/policy/load.ts";
import { intendedName } from "../../src/rotation/names.ts";
import { placesOf } from "../../src/rotation/targets.ts";
import { computeDue } from "../../src/schedule/due.ts";

export interface IdleWorld {
  folder: string;
  policy: string;
  env: NodeJS.ProcessEnv;
  [Symbol.asyncDispose](): Promise<void>;
}

const DAY_MS = 86_400_000;
/** How many rotations each key has behind it: their names stay in the journal. */
const ROTATIONS = 4;

/**
 * A policy of so many keys, no two with the same schedule, and a journal in which each of them has
 * been rotated and is due in a week at the earliest. Nothing listens anywhere: a pass that asks
 * anybody fails.
 */
export async function idleWorld(keys: number): Promise<IdleWorld> {
  await using starting = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "keyturn-idle-"));
  starting.defer(() => rm(folder, { recursive: true, force: true }));
  const now = systemClock.now();
  const policy = join(folder, "rotation.yaml");
  await writeFile(policy, policyOf(keys, now));
  const env = { PATH: process.env.PATH, HOME: folder, OPENROUTER_MANAGEMENT_KEY: "unused" };
  const parts = { clock: systemClock, random: systemRandom };
  const loaded = await loadPolicy(policy, env);
  await sqlitePlace(join(folder, "journal.db"), parts).fill({
    id: randomId(systemRandom, 16),
    targets: placesOf(loaded.policy).map(({ target, field, snapshot }) =>
      rotated(target, field, snapshot, now),
    ),
    requests: [],
    notices: [],
    events: [],
  });
  const running = starting.move();
  return { folder, policy, env, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

function policyOf(keys: number, now: number): string {
  const lines = Array.from({ length: keys }, (_, index) => {
    const name = `service-${String(index).padStart(5, "0")}`;
    return `  - name: ${name}
    schedule: "${scheduleOf(index, now)}"
    store: { use: local, secret: ${name} }
    consumers:
      - name: ${name}
        probe: { http: "http://${name}.internal:8080/healthz", resolve: all }
`;
  });
  return `version: 1
providers:
  openrouter:
    type: openrouter
    managementKey: { env: OPENROUTER_MANAGEMENT_KEY }
    baseUrl: http://127.0.0.1:1/api/v1
stores:
  local: { type: file, path: ./secrets }
journal: { type: sqlite, path: ./journal.db }
server: { address: 127.0.0.1, port: 0 }
defaults:
  provider: openrouter
  timezone: Europe/Berlin
  settings: { limit: 150, limitReset: weekly }
  retire: { after: 10m }
keys:
${lines.join("")}`;
}

/** Once a month, on one of seven days that are a week away or more, at a minute of its own. */
function scheduleOf(index: number, now: number): string {
  const day = new Date(now + (8 + (Math.floor(index / 1_440) % 7)) * DAY_MS).getUTCDate();
  return `${index % 60} ${Math.floor(index / 60) % 24} ${Math.min(day, 28)} * *`;
}

function rotated(target: string, field: string, snapshot: PolicySnapshot, now: number): ArchivedTarget {
  const { key, installation } = snapshot;
  const since = now - 60_000;
  const hash = createHash("sha256").update(target).digest("hex");
  const fingerprint = `sha256:${createHash("sha256").update(hash).digest("hex")}`;
  const past = Array.from({ length: ROTATIONS }, (_, index) => {
    const plannedAt = since - index * 30 * DAY_MS;
    const name = intendedName(installation, key.name, plannedAt, systemRandom);
    const rotation = randomId(systemRandom);
    const of = index === 0 ? hash : createHash("sha256").update(name).digest("hex");
    const sent = { sentAt: plannedAt, hash: of, settled: "issued" as const };
    return { name, rotation, field, provider: key.provider, settings: key.settings, plannedAt, ...sent };
  });
  const [{ name, rotation, hash: oldHash }] = past as [(typeof past)[0]];
  const due = computeDue({ ...key, since, fraction: 0, createdAt: since });
  return {
    target,
    epoch: ROTATIONS,
    document: {
      version: 1,
      keys: {
        [field]: {
          name: key.name,
          provider: key.provider,
          current: { hash, fingerprint, version: rotation, since },
          ...(due ? { due } : {}),
          policy: snapshot,
          last: {
            rotation,
            kind: "rotate",
            outcome: "completed",
            startedAt: since,
            at: since,
            oldHash,
            newHash: hash,
            message: "the rotation is complete",
          },
        },
      },
      issued: {
        [hash]: {
          hash,
          field,
          provider: key.provider,
          origin: "issued",
          name,
          label: "sk-or-v1-4c8...8ee1",
          fingerprint,
          createdAt: since,
          settings: key.settings,
          version: rotation,
          mayBeCurrent: true,
        },
      },
      intents: Object.fromEntries(past.map((intent) => [intent.name, intent])),
    },
  };
}
