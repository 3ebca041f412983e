import { type EventRecord, emptyDocument } from "../journal/document.ts";
import { type TargetEntry, undamaged } from "../journal/journal.ts";
import { asRotationError, RotationError } from "../lib/errors.ts";
import type { Owner } from "../lib/owner.ts";
import { randomId } from "../lib/random.ts";
import type { Policy } from "../policy/schema.ts";
import type { Engine, PassOptions } from "./engine-api.ts";
import type { Parts } from "./parts.ts";
import { type PassEnd, TargetPass } from "./pass.ts";
import { planKey } from "./plan.ts";
import type { KeyPlan, KeyResult } from "./report.ts";
import { type Before, before, brokenResult, resultOf } from "./result.ts";
import { damagedStatus, statusOf } from "./status.ts";
import { sweep } from "./sweep/sweep.ts";
import { groundOf, type KeyPlace } from "./targets.ts";

/** A target that has left the policy; one object, for who looks whether anything has changed. */
const NO_KEYS = Object.freeze({});
/** How often a target that another worker works on is looked at, in milliseconds. */
const FOLLOW_MS = 500;

/** The engine of one policy over one journal. */
export function createEngine(policy: Policy, parts: Parts): Engine {
  const { journal, clock, random } = parts;
  let ground = groundOf(policy);
  const owner: Owner = { installation: policy.installation, journal: journal.id };
  /** Targets that a pass of this process is working on: a second pass leaves them to it. */
  const active = new Set<string>();
  /** By target, the failures that were last said, of its steps and of its passes (""): the same again is said once. */
  const saidOf = keep(() => new Map<string, string>());

  function placesNamed(keys: readonly string[] | undefined): readonly KeyPlace[] {
    return keys === undefined ? ground.places : keys.map(placeNamed);
  }

  function placeNamed(key: string): KeyPlace {
    const place = ground.places.find((one) => one.key === key);
    if (place) return place;
    throw new RotationError("usage", `the policy has no key "${key}"`, {
      hint: `it has: ${ground.places.map((one) => one.key).join(", ")}`,
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
          policies: () => ground.targets.get(target) ?? NO_KEYS,
          owner,
          start: options.start,
          deadline: options.deadline,
          horizon: options.horizon ?? Number.POSITIVE_INFINITY,
          followRetirements: options.until === "deleted",
          said: saidOf(target),
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

  /** Targets of keys that have left the policy and still have something in flight, or cannot be read. */
  async function leftovers(): Promise<string[]> {
    const entries = await journal.all();
    return entries
      .filter((entry) => !ground.targets.has(entry.target) && ("error" in entry || inFlight(entry.document)))
      .map(({ target }) => target);
  }

  /** One target's pass; it fails by itself, and the other targets go on. */
  async function endOf(target: string, options: PassOptions): Promise<PassEnd> {
    const said = saidOf(target);
    try {
      const end = await passOver(target, options);
      said.delete("");
      return end;
    } catch (thrown) {
      const error = asRotationError(thrown);
      const level = said.get("") === error.message ? "debug" : "error";
      said.set("", error.message);
      const { code, hint } = error;
      parts.log(level, { target, code, ...(hint ? { hint } : {}), err: error }, error.message);
      return { end: "broken", error };
    }
  }

  async function beforePass(place: KeyPlace): Promise<Before | RotationError> {
    try {
      return before((await journal.read(place.target)).document, place.field);
    } catch (thrown) {
      return asRotationError(thrown);
    }
  }

  async function result(
    place: KeyPlace,
    was: Before | RotationError,
    end: PassEnd,
    startedAt: number,
  ): Promise<KeyResult> {
    if (end.end === "broken") return brokenResult(place.key, end.error);
    if (was instanceof RotationError) return brokenResult(place.key, was);
    try {
      const { document } = await journal.read(place.target);
      const refusal = await refusalOf(place, startedAt);
      const asked = (await journal.requests(place.target)).some(({ field }) => field === place.field);
      const { leftBehind } = document.keys[place.field] ?? {};
      const looked = leftBehind?.keys.length && (leftBehind.at ?? 0) >= startedAt;
      return {
        ...resultOf(place, was, document, end, refusal, asked),
        ...(looked ? { undecided: leftBehind.keys } : {}),
      };
    } catch (thrown) {
      return brokenResult(place.key, asRotationError(thrown));
    }
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
      const earlier = new Map<KeyPlace, Before | RotationError>();
      for (const place of named) earlier.set(place, await beforePass(place));
      const all = [
        ...new Set([...named.map(({ target }) => target), ...(options.keys ? [] : await leftovers())]),
      ];
      const ends = new Map<string, PassEnd>();
      await Promise.all(all.map(async (target) => ends.set(target, await endOf(target, options))));
      const results: KeyResult[] = [];
      for (const [place, was] of earlier)
        results.push(await result(place, was, ends.get(place.target) ?? { end: "idle" }, startedAt));
      return results;
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
      const plans: KeyPlan[] = [];
      for (const place of placesNamed(keys)) {
        try {
          const { document } = await journal.read(place.target);
          plans.push(await planKey(parts, place, owner, document, options?.requested === "rotate"));
        } catch (thrown) {
          plans.push(unplanned(place, asRotationError(thrown)));
        }
      }
      return plans;
    },

    async status(keys) {
      const named = placesNamed(keys);
      const entries = new Map((await journal.all()).map((entry) => [entry.target, entry]));
      return named.map((place) => {
        const entry = entries.get(place.target);
        if (entry && "error" in entry) return damagedStatus(place, entry.error);
        return statusOf(place, entry?.document ?? emptyDocument(), clock.now());
      });
    },

    history: (filter) => journal.history(filter),

    async identify(fingerprint) {
      const entries = await journal.all();
      for (const entry of entries) {
        if ("error" in entry) continue;
        const { document } = entry;
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
      if (event) return { key: event.key, hash: String(event.data?.hash), state: "deleted" };
      undamaged(entries);
      return undefined;
    },

    async sweep(options = {}) {
      const named = options.keys === undefined ? undefined : placesNamed(options.keys);
      return await sweep({ ...ground, parts, owner, active }, options, named);
    },

    reload(next) {
      if (next.installation !== owner.installation)
        throw new RotationError("policy-invalid", "another installation needs another process", {
          hint: "restart with the policy that names it",
        });
      ground = groundOf(next, ground);
    },

    policy: () => ground.policy,

    async nextWake() {
      let earliest: number | undefined;
      for (const entry of await journal.all()) {
        if ("error" in entry) continue;
        // What is past has had its pass, and is blocked or waits for something else than an instant.
        for (const at of instants(entry.document))
          if (at > clock.now()) earliest = Math.min(earliest ?? at, at);
      }
      return earliest;
    },

    close: () => journal.close(),
  };
}

/** One value for each name, made when it is first asked for. */
function keep<T>(make: () => T): (name: string) => T {
  const kept = new Map<string, T>();
  return (name) => {
    const found = kept.get(name) ?? make();
    kept.set(name, found);
    return found;
  };
}

/** A key whose part of the journal cannot be read. */
function unplanned(place: KeyPlace, { message, hint }: RotationError): KeyPlan {
  const why = hint ? `${message}; ${hint}` : message;
  return { key: place.key, target: place.target, verb: "BLOCKED", why, steps: [], warnings: [] };
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
