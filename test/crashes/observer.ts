import type { TargetDocument } from "../../src/journal/document.ts";
import type { HttpRequest } from "../../src/lib/http.ts";
import { hashOf } from "../rotation/scenario.ts";
import { type CrashWorld, currentHash, MANAGEMENT_KEY } from "./world.ts";

/** Invariant 1, before a call goes out: what is disabled or deleted is neither current nor served with. */
export function requireNoOutage(world: CrashWorld, { method, url, body }: HttpRequest): void {
  const target = /\/keys\/([0-9a-f]{64})$/.exec(url)?.[1];
  const change = body === undefined ? {} : (JSON.parse(body) as { disabled?: boolean });
  const ends = method === "DELETE" || (method === "PATCH" && change.disabled === true);
  if (target === undefined || !ends || world.course.outage) return;
  if (target === currentHash(world)) world.violations.push(`${method} of the store's current key`);
  for (const { name, served } of servedWith(world))
    if (hashOf(served) === target) world.violations.push(`${method} of a key that ${name} serves with`);
}

/** Invariant 1, after anything has changed: what consumers read and serve with is accepted by the provider. */
export function requireService(world: CrashWorld, where: string): void {
  if (world.course.outage) return;
  const current = world.currentKey();
  if (current !== undefined && !world.model.accepted(current))
    world.violations.push(`${where}: the provider refuses the store's current key`);
  for (const { name, served } of servedWith(world))
    if (!world.model.accepted(served))
      world.violations.push(`${where}: the provider refuses the key that ${name} serves with`);
}

function servedWith(world: CrashWorld): { name: string; served: string }[] {
  return world.consumers.flatMap((consumer) =>
    consumer.serving().flatMap((served) => (served === undefined ? [] : [{ name: consumer.name, served }])),
  );
}

/** All that is wrong with a world in which everything should have come to its end. */
export function faultsAtEnd(world: CrashWorld): string[] {
  const current = world.currentKey();
  const document = JSON.parse([...world.journal.documents.values()][0] ?? "{}") as Partial<TargetDocument>;
  const others = world.model.plaintexts().filter((key) => key !== current);
  const kept = world.place.kept();
  const written = [
    ...world.journal.documents.values(),
    ...[...world.journal.requests.values()].map(({ text }) => text),
    ...world.journal.events,
    ...world.logged,
  ].join("\n");
  const live = world.model.allKeys().map(({ hash, disabled }) => (disabled ? `${hash} (disabled)` : hash));
  const text = JSON.parse(world.place.current() ?? "{}") as Record<string, string>;
  const faults: [boolean, string][] = [
    [current === undefined, "no key is current"],
    [live.join() !== currentHash(world), `the provider has ${live}, and current is ${currentHash(world)}`],
    [
      servedWith(world).some(({ served }) => served !== current),
      "a consumer does not serve with the current key",
    ],
    [world.course.found !== undefined && text.OTHER !== "kept", "another field of the secret is lost"],
    [world.place.staged() > 0, "something is still staged"],
    [others.some((key) => kept.includes(key)), "the store keeps the plaintext of a key that is gone"],
    [document.rotation !== undefined, `a rotation is still open: ${JSON.stringify(document.rotation)}`],
    [document.walk !== undefined, "the provider's list was not walked"],
    [world.journal.requests.size > 0, "a request is not answered"],
    [
      Object.keys(document.issued ?? {}).some((hash) => hash !== currentHash(world)),
      "the journal still holds a key that is gone",
    ],
    [
      Object.values(document.intents ?? {}).some(({ settled }) => settled === undefined),
      `an intent is not settled: ${JSON.stringify(document.intents)}`,
    ],
    [
      [...world.model.plaintexts(), MANAGEMENT_KEY].some((key) => written.includes(key)),
      "a plaintext stands in the journal or in a log",
    ],
  ];
  return [...world.violations, ...faults.flatMap(([wrong, what]) => (wrong ? [what] : []))];
}

/** Whether a course that nobody disturbed has gone the way that it is there for. */
export function faultsOfCourse({ course, journal, model }: CrashWorld): string[] {
  const document = JSON.parse([...journal.documents.values()][0] ?? "{}") as Partial<TargetDocument>;
  const [key] = Object.values(document.keys ?? {});
  const went = {
    outcome: key?.last?.outcome,
    keys: model.plaintexts().length,
    by: course.ends.by.filter((kind) => journal.events.some((event) => JSON.parse(event).kind === kind)),
  };
  const [wanted, found] = [JSON.stringify(course.ends), JSON.stringify(went)];
  return wanted === found ? [] : [`the course went ${found} in place of ${wanted}`];
}
