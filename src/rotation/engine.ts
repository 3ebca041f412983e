import type { EventRecord } from "../journal/document.ts";
import type { TargetEntry } from "../journal/journal.ts";
import { asRotationError, RotationError } from "../lib/errors.ts";
import type { Owner } from "../lib/owner.ts";
import { randomId } from "../lib/random.ts";
import type { Policy } from "../policy/schema.ts";
import type { Engine, PassOptions } from "./engine-api.ts";
import type { Parts } from "./parts.ts";
import { type PassEnd, TargetPass } from "./pass.ts";
import { planKey } from "./plan.ts";
import type { KeyResult } from "./report.ts";
import { before, resultOf } from "./result.ts";
import { statusOf } from "./status.ts";
import { byTarget, type KeyPlace, placesOf } from "./targets.ts";

/** How often a target that another worker works on is looked at, in milliseconds. */
const FOLLOW_MS = 500;

/** The engine of one policy over one journal. */
export function createEngine(policy: Policy, parts: Parts): Engine {
  const { journal, clock, random } = parts;
  const places = placesOf(policy);
  const targets = byTarget(places);
  const owner: Owner = { installation: policy.installation, journal: journal.id };
  /** Targets that a pass of this process is working on: a second pass leaves them to it. */
  const active = new Set<string>();

  function placesNamed(keys: readonly string[] | undefined): KeyPlace[] {
    return keys === undefined ? places : keys.map(placeNamed);
  }

  function placeNamed(key: string): KeyPlace {
    const place = places.find((one) => one.key === key);
    if (place) return place;
    throw new RotationError("usage", `the policy has no key "${key}"`, {
      hint: `it has: ${places.map((one) => one.key).join(", ")}`,
    });
  }

  async function passOver(target: string, options: PassOptions): Promise<PassEnd> {
    if (active.has(target)) return { end: "busy" };
    active.add(target);
    try {
      const named = options.keys !== undefined;
      for (;;) {
        const pass = new TargetPass(parts, {
          target,
          policies: targets.get(target) ?? {},
          owner,
          start: options.start,
          deadline: options.deadline,
          horizon: options.horizon ?? Number.POSITIVE_INFINITY,
          followRetirements: options.until === "deleted",
          ...(options.signal ? { signal: options.signal } : {}),
          ...(options.onProgress ? { onProgress: options.onProgress } : {}),
        });
        const end = await pass.run();
        if (end.end !== "busy" || !named) return end;
        if (options.signal?.aborted || clock.now() >= options.deadline) return end;
        await clock.sleep(FOLLOW_MS, options.signal);
      }
    } finally {
      active.delete(target);
    }
  }

  /** Targets of keys that have left the policy and still have something in flight. */
  async function leftovers(): Promise<string[]> {
    const entries = await journal.all();
    return entries
      .filter(({ target, document }) => !targets.has(target) && inFlight(document))
      .map(({ target }) => target);
  }

  async function results(
    named: readonly KeyPlace[],
    earlier: ReadonlyMap<string, TargetEntry>,
    ends: ReadonlyMap<string, PassEnd>,
    startedAt: number,
  ): Promise<KeyResult[]> {
    const found: KeyResult[] = [];
    for (const place of named) {
      const was = before((earlier.get(place.target) as TargetEntry).document, place.field);
      const { document } = await journal.read(place.target);
      const end = ends.get(place.target) ?? { end: "idle" };
      const refusal = await refusalOf(place, startedAt);
      const asked = (await journal.requests(place.target)).some(({ field }) => field === place.field);
      found.push(resultOf(place, was, document, end, refusal, asked));
    }
    return found;
  }

  async function refusalOf(place: KeyPlace, since: number): Promise<EventRecord | undefined> {
    const events = await journal.history({ target: place.target, limit: 20 });
    return events.findLast(
      (event) => event.kind === "refused" && event.at >= since && event.key === place.key,
    );
  }

  return {
    async pass(options) {
      const startedAt = clock.now();
      const named = placesNamed(options.keys);
      const earlier = new Map<string, TargetEntry>();
      for (const { target } of named) earlier.set(target, await journal.read(target));
      const all = [
        ...new Set([...named.map(({ target }) => target), ...(options.keys ? [] : await leftovers())]),
      ];
      const ends = new Map<string, PassEnd>();
      await Promise.all(
        all.map(async (target) => {
          try {
            ends.set(target, await passOver(target, options));
          } catch (thrown) {
            const error = asRotationError(thrown);
            ends.set(target, { end: "broken", error });
            parts.log("error", { target, code: error.code, err: error }, error.message);
          }
        }),
      );
      return await results(named, earlier, ends, startedAt);
    },

    async request(key, request) {
      const place = placeNamed(key);
      const { actor, ...rest } = request;
      const at = clock.now();
      await journal.request(
        { id: randomId(random), target: place.target, field: place.field, at, actor, ...rest },
        {
          at,
          key,
          actor,
          kind: "requested",
          reason: request.kind,
          message: `${actor} asks for: ${request.kind}`,
        },
      );
    },

    async plan(keys, options) {
      const plans = [];
      for (const place of placesNamed(keys)) {
        const { document } = await journal.read(place.target);
        plans.push(await planKey(parts, place, owner, document, options?.requested === "rotate"));
      }
      return plans;
    },

    async status(keys) {
      const named = placesNamed(keys);
      const entries = new Map((await journal.all()).map((entry) => [entry.target, entry.document]));
      return named.map((place) =>
        statusOf(
          place,
          entries.get(place.target) ?? { version: 1, keys: {}, issued: {}, intents: {} },
          clock.now(),
        ),
      );
    },

    history: (filter) => journal.history(filter),

    async identify(fingerprint) {
      for (const { document } of await journal.all()) {
        for (const record of Object.values(document.issued)) {
          if (record.fingerprint !== fingerprint) continue;
          const key = document.keys[record.field];
          const state =
            key?.current?.hash === record.hash
              ? "current"
              : record.retire
                ? "on its way out"
                : "issued, not current";
          return { key: key?.name ?? record.field, hash: record.hash, state };
        }
      }
      const event = (await journal.history({})).findLast(({ data }) => data?.fingerprint === fingerprint);
      return event && { key: event.key, hash: String(event.data?.hash), state: "deleted" };
    },

    async nextWake() {
      let earliest: number | undefined;
      for (const { document } of await journal.all()) {
        // What is past has had its pass, and is blocked or waits for something else than an instant.
        for (const at of instants(document)) if (at > clock.now()) earliest = Math.min(earliest ?? at, at);
      }
      return earliest;
    },

    close: () => journal.close(),
  };
}

function inFlight(document: TargetEntry["document"]): boolean {
  return (
    document.rotation !== undefined ||
    document.walk !== undefined ||
    Object.values(document.issued).some((record) => record.retire !== undefined)
  );
}

/** The journalled instants at which a target needs attention. */
function instants(document: TargetEntry["document"]): number[] {
  const due = Object.values(document.keys).map((key) => key.retry?.at ?? key.due?.at);
  const retire = Object.values(document.issued).map((record) => record.retire?.dueAt);
  return [...due, ...retire].filter((at) => at !== undefined);
}
