import { type ActKind, type Args, DAY, HOUR } from "./acts/act.ts";
import { ACTS } from "./acts/all.ts";
import { type Chance, chance } from "./chance.ts";

export interface ServicePlan {
  name: string;
  instances: number;
  applyDelay: number;
  /** Takes up a key only when its reload hook is called. */
  onReload: boolean;
}

export interface KeyPlan {
  /** The key's entry in rotation.yaml. */
  policy: Record<string, unknown>;
  services: ServicePlan[];
  /** Whether a key made by hand is in use already. */
  existing: boolean;
  /** The least time between two rotations by the schedule, in milliseconds: one by cron that was late may be followed by one that is not. */
  period: number;
}

/** Something that happens: so long after the start, and then before the so-manieth call of anyone. */
export interface Happening {
  at: number;
  calls: number;
  act: string;
  args: Args;
}

/** Everything that a seed decides before the world begins. Plain data. */
export interface Plan {
  seed: number;
  days: number;
  /** Epoch milliseconds. */
  startAt: number;
  provider: "openrouter" | "arouter";
  /** Keys of other people in the account. */
  bystanders: number;
  workers: number;
  /** Where the journals are: on a disk that all processes share, or in ConfigMaps. */
  journal: "disk" | "cluster";
  /** Milliseconds between two passes of a CronJob, if there is one. */
  cron: number | undefined;
  keys: KeyPlan[];
  happenings: Happening[];
}

/** Around changes to and from summer time, a leap day, the end of a year, and an ordinary day. */
const STARTS = [
  "2027-03-20T22:00:00Z",
  "2027-10-25T03:00:00Z",
  "2028-02-20T12:00:00Z",
  "2027-12-20T23:30:00Z",
  "2027-06-01T00:00:00Z",
];
const SCHEDULES = [
  { schedule: { every: "3d" }, period: 3 * DAY },
  { schedule: { every: "7d" }, period: 7 * DAY },
  { schedule: { every: "10d" }, period: 10 * DAY },
  { schedule: "30 2 * * 0", timezone: "Europe/Berlin", period: HOUR },
  { schedule: "0 0 1,15 * *", timezone: "America/New_York", period: HOUR },
  { schedule: "none", period: DAY },
];
const STORES = ["local", "aws", "cluster"];
/** Happenings for each virtual day. */
const RATE = 0.35;
/** And where only some acts happen. */
const RATE_OF_SOME = 3;

/** `acts`: the only ones that happen, each as often as any other, in place of all. */
export function drawPlan(seed: number, days: number, acts?: readonly string[]): Plan {
  const draw = chance(seed);
  const keys = drawKeys(draw);
  return {
    seed,
    days,
    startAt: Date.parse(draw.pick(STARTS)) + draw.int(0, 6 * DAY),
    provider: draw.oneIn(4) ? "arouter" : "openrouter",
    bystanders: draw.oneIn(12) ? 120 : draw.int(0, 2),
    workers: draw.pick([1, 1, 1, 2, 3]),
    cron: draw.oneIn(4) ? draw.pick([3 * HOUR, 11 * HOUR]) : undefined,
    journal: draw.oneIn(60) ? "cluster" : "disk",
    keys,
    happenings: drawHappenings(draw, keys, days, acts ?? EVERY_ACT),
  };
}

function drawKeys(draw: Chance): KeyPlan[] {
  const count = draw.pick([1, 1, 2, 3]);
  const first = draw.pick(STORES);
  const places = [
    { use: first, secret: "app", field: "KEY_0" },
    draw.oneIn(2)
      ? { use: first, secret: "app", field: "KEY_1" }
      : { use: draw.pick(STORES), secret: "other", field: "KEY_1" },
    plain(draw.pick(STORES)),
  ];
  return places.slice(0, count).map((store, index) => drawKey(draw, `k${index}`, store));
}

/** A secret that is one value; a Secret of Kubernetes always has entries. */
function plain(use: string): Record<string, unknown> {
  return { use, secret: "plain", ...(use === "cluster" ? { field: "KEY_2" } : {}) };
}

function drawKey(draw: Chance, name: string, store: Record<string, unknown>): KeyPlan {
  const { period, ...schedule } = draw.pick(SCHEDULES);
  const services = Array.from(
    { length: draw.pick([1, 1, 2]) },
    (_, index): ServicePlan => ({
      name: `${name}-${["web", "jobs"][index]}`,
      instances: draw.pick([1, 2, 3]),
      applyDelay: draw.pick([0, 300, 4_000]),
      onReload: draw.oneIn(5),
    }),
  );
  const days = draw.oneIn(4) ? draw.pick([8, 20]) : undefined;
  const expires = days === undefined ? {} : { expiresAfter: `${days}d` };
  return {
    services,
    existing: !draw.oneIn(5),
    // A key that expires is replaced after two thirds of its life.
    period: Math.min(period, (days ?? 1_000) * 0.6 * DAY),
    policy: {
      name,
      formerly: [],
      provider: "router",
      ...schedule,
      spread: draw.pick(["0s", "0s", "30m"]),
      retry: { after: draw.pick(["1h", "6h"]), max: "24h" },
      ...(draw.oneIn(6) ? { windows: [{ kind: "deny", schedule: "0 16 * * 5", duration: "40h" }] } : {}),
      settings: { limit: 150, limitReset: "monthly", ...expires },
      settingsDrift: draw.pick(["report", "report", "apply"]),
      store: { ...store, create: true },
      consumers: services.map((service) => ({
        name: service.name,
        probe: { http: `http://${service.name}/healthz`, resolve: "all", timeout: "5s" },
        ...(service.onReload || draw.oneIn(4)
          ? { reload: { http: { method: "POST", url: `http://${service.name}/reload` } } }
          : {}),
      })),
      confirm: {
        timeout: draw.pick(["20s", "1m", "3m"]),
        interval: draw.pick(["1s", "5s", "20s"]),
        successThreshold: draw.int(1, 3),
        onTimeout: draw.pick(["hold", "rollback"]),
      },
      retire: {
        after: draw.pick(["0s", "0s", "30s"]),
        requireQuiet: draw.oneIn(5),
        watch: draw.pick(["0s", "2s", "10s"]),
        keepDisabledFor: draw.pick(["0s", "0s", "1h", "2d"]),
      },
    },
  };
}

/** By name, as often as its weight. */
const EVERY_ACT = Object.entries(ACTS).flatMap(([name, { weight = 1 }]) => Array<string>(weight).fill(name));

function drawHappenings(
  draw: Chance,
  keys: readonly KeyPlan[],
  days: number,
  names: readonly string[],
): Happening[] {
  const found: Happening[] = [];
  const rate = names === EVERY_ACT ? RATE : RATE_OF_SOME;
  for (let left = Math.ceil(days * rate * draw.int(1, 3)); left > 0; left -= 1) {
    // Troubles seldom come alone: what follows falls upon the same minute, or the same calls.
    const before = draw.oneIn(2) ? found.at(-1) : undefined;
    const act = draw.pick(names);
    found.push({
      at: before?.at ?? draw.int(0, days * DAY),
      calls: draw.oneIn(3) ? 0 : draw.int(1, 120) + (before?.calls ?? 0),
      act,
      args: (ACTS[act] as ActKind).draw(draw, keys),
    });
  }
  return found.sort((a, b) => a.at - b.at);
}
