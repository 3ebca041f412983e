import { createHash } from "node:crypto";
import { Faults } from "../../src/sandbox/faults.ts";
import { DAY, HOUR } from "./acts/act.ts";
import type { Crew } from "./crew.ts";
import { OTHER_ACCOUNT } from "./observer.ts";
import type { Place, World } from "./world.ts";

const ACTOR = "ann@laptop";
/** So often a person looks after what is held or blocked, once all is calm, before it counts as stuck. */
const ROUNDS = 4;
/** Longer than any soak or backoff of a plan. */
const LONG = 3 * DAY;

/**
 * All faults stop, and people put right what only people can. Then every rotation ends within a
 * bound (8), and each key has one enabled key at the provider, which is current and served with, and
 * nothing is left over (3).
 */
export async function calmDown(world: World, crew: Crew): Promise<void> {
  const { timeline } = world;
  world.trace.write("fate", "all is calm");
  crew.end();
  stopFaults(world);
  for (const place of world.places) repair(world, place);
  crew.resume();
  await takeOver(world, crew);
  crew.worker("worker-1");
  await timeline.sleep(3 * HOUR);
  for (let round = 0; round < ROUNDS && openRotations(world).length > 0; round += 1) {
    const kind = round % 2 === 0 ? "approve" : "rotate";
    for (const place of world.places)
      if (world.policyKeys.has(place.key)) void crew.command(kind, place.key, [{ kind, actor: ACTOR }]);
    await timeline.sleep(2 * HOUR);
    giveUpOtherAccount(world);
    for (const place of world.places) repair(world, place);
    await timeline.sleep(2 * HOUR);
  }
  for (const rotation of openRotations(world))
    world.observer.violated(8, `${rotation} is not at its end hours after all faults stopped`);
  await timeline.sleep(LONG);
  await settle(world, crew);
  world.observer.look(undefined);
  atRest(world);
}

function stopFaults(world: World): void {
  const { provider, aws } = world;
  world.calm = true;
  world.disarm();
  for (const [name, key] of world.removed) world.policyKeys.set(name, key);
  world.faults = new Faults();
  world.weather.clear();
  Object.assign(provider.knobs, {
    activationDelay: 0,
    disableDelay: 0,
    enableDelay: 0,
    deleteDelay: 0,
    listDelay: 0,
  });
  world.managementKey = provider.addManagementKey(world.rightManagementKey.reveal());
  Object.assign(aws.knobs, { describeLag: 0, getLag: 0, throttle: 0, lostReplies: [] });
  aws.knobs.denied.clear();
  world.cluster.calm();
  for (const { store, secret } of world.places) {
    const state = store === "aws" ? aws.secret(secret) : undefined;
    if (state?.deletionAt) world.awsByHand("RestoreSecret", { SecretId: secret });
    const pending = state?.labels.AWSPENDING;
    if (pending !== undefined)
      world.awsByHand("UpdateSecretVersionStage", {
        SecretId: secret,
        VersionStage: "AWSPENDING",
        RemoveFromVersionId: pending,
      });
  }
  giveUpOtherAccount(world);
  for (const service of world.places.flatMap(({ services }) => services)) {
    service.body = undefined;
    service.reloadFailures = 0;
    service.onReload = false;
    if (service.instances.length === 0) service.scaleUp();
    for (const one of service.instances)
      Object.assign(one, { down: false, cutOff: false, stuck: false, lies: false });
  }
  for (const [name, key] of world.policyKeys)
    world.policyKeys.set(name, { ...key, suspend: false, windows: [] });
}

/** Keys that were made in another account, and that the right management key does not see: people delete them. */
function giveUpOtherAccount({ provider, observer, places }: World): void {
  const current = new Set(places.map((place) => observer.current(place)?.hash));
  observer.byPerson(() => {
    for (const { hash } of provider.allKeys(OTHER_ACCOUNT))
      if (!current.has(hash)) provider.delete(hash, OTHER_ACCOUNT);
  });
}

/** What only a person can put right: a secret whose value the provider does not accept, or in another account, through no fault of keyturn's. */
function repair(world: World, place: Place): void {
  const { observer, provider } = world;
  const value = world.value(place);
  if (value === undefined) return;
  const hash = createHash("sha256").update(value).digest("hex");
  const row = provider.key(hash);
  const elsewhere = row === undefined && provider.key(hash, OTHER_ACCOUNT) !== undefined;
  if (provider.accepted(value) && !elsewhere) return;
  const expired = row?.expiresAt != null && Date.parse(row.expiresAt) <= world.timeline.now();
  // What keyturn has disabled and a person has put back, keyturn enables by itself (R2).
  if (row?.disabled && !expired && !observer.excused.has(hash) && !observer.forgot) return;
  const excused = observer.excused.has(hash) || expired || observer.current(place)?.writer === undefined;
  if (!excused && !elsewhere)
    observer.violated(1, `what ${place.key} serves with is refused by the provider`);
  world.trace.write("person", `puts a fresh key into ${place.key}`);
  world.write(place, place.field, world.bystander("put right by hand"));
}

/** The rival is gone for good, and so is a lost journal: an operator says whose the secrets are. */
async function takeOver(world: World, crew: Crew): Promise<void> {
  await Promise.all(
    world.places
      .filter(({ key }) => world.policyKeys.has(key))
      .map(({ key }) =>
        crew.command("--now --take-over", key, [
          { kind: "take-over", actor: ACTOR },
          { kind: "rotate", actor: ACTOR },
        ]),
      ),
  );
}

/** Nothing is due any more, and what is on its way out has the time to go. */
async function settle(world: World, crew: Crew): Promise<void> {
  for (const [name, key] of world.policyKeys)
    world.policyKeys.set(name, { ...key, schedule: "none", settings: {} });
  crew.restartWorkers();
  for (let turn = 0; turn < 3; turn += 1) {
    await world.timeline.sleep(DAY);
    for (const service of world.places.flatMap(({ services }) => services)) service.serving();
  }
}

function openRotations(world: World): string[] {
  return world
    .journal("prod")
    .documents()
    .flatMap((text) => {
      const { rotation } = JSON.parse(text) as {
        rotation?: { id: string; phase: string; hold?: { reason: string } };
      };
      return rotation
        ? [`rotation ${rotation.id} (${rotation.phase}, ${rotation.hold?.reason ?? "not held"})`]
        : [];
    });
}

/** 3, and what consumers serve with, and 6. */
function atRest(world: World): void {
  const { observer, provider } = world;
  const wanted = new Set<string>();
  for (const place of world.places) {
    const value = world.value(place);
    if (value === undefined) {
      observer.violated(2, `${place.key} has no value at the end`);
      continue;
    }
    const hash = createHash("sha256").update(value).digest("hex");
    wanted.add(hash);
    if (!provider.accepted(value))
      observer.violated(1, `what is current for ${place.key} is refused at the end`);
    for (const service of place.services)
      for (const serving of service.serving())
        if (serving !== value)
          observer.violated(1, `${service.name} serves with another key than ${place.key}'s`);
  }
  for (const { hash, name, disabled, updatedAt } of provider.allKeys()) {
    if (wanted.has(hash) || !name.startsWith("keyturn/prod/") || observer.isByHand(hash)) continue;
    if (observer.isExcusedLeak(hash)) continue;
    // One that expiry has replaced since may still be in its soak.
    if (disabled && world.timeline.now() - (updatedAt ?? 0) < 5 * DAY) continue;
    observer.violated(3, `key ${hash} (${name}, ${disabled ? "disabled" : "enabled"}) is left over`);
  }
  for (const [secret, { record }] of world.disk)
    if (record && record.staged.length > 0 && !observer.forgot)
      observer.violated(3, `a staged version of ${secret} is left over`);
  for (const { store, secret } of world.places)
    if (store === "cluster" && world.cluster.staged(secret) > 0 && !observer.forgot)
      observer.violated(3, `a staged version of ${secret} is left over`);
  scan(world);
}

/** 6: no plaintext, no management key in anything that keyturn has written outside the store. */
function scan(world: World): void {
  const written = [...[...world.journals.values()].flatMap((journal) => journal.written()), ...world.logged];
  const found = written.find((text) => /(sk-or-v1-|lr_live_|lr_mgmt_)[0-9a-f]{64}/.test(text));
  if (found) world.observer.violated(6, `a key stands in: ${found.slice(0, 300)}`);
}
