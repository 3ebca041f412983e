import { type EventRecord, emptyDocument, type PolicySnapshot } from "../journal/document.ts";
import { type TargetEntry, undamaged } from "../journal/journal.ts";
import { asRotationError, RotationError } from "../lib/errors.ts";
import type { Owner } from "../lib/owner.ts";
import { randomId } from "../lib/random.ts";
import type { Policy } from "../policy/schema.ts";
import type { Engine, PassOptions } from "./engine-api.ts";
import type { Parts } from "./parts.ts";
import { type PassEnd, TargetPass } from "./pass.ts";
import { planKey } from "./plan.ts";
import type { KeyPlan, KeyResult, KeyStatus } from "./report.ts";
import { type Before, before, brokenResult, resultOf } from "./result.ts";
import { damagedStatus, statusOf } from "./status.ts";
import { type Survey, survey } from "./survey.ts";
import { sweep } from "./sweep/sweep.ts";
import { groundOf, type KeyPlace, placesByTarget } from "./targets.ts";
import { Turns } from "./turns.ts";
import type { Asked } from "./world.ts";

/** A target that has left the policy; one object, for who looks whether anything has changed. */
const NO_KEYS: Record<string, PolicySnapshot> = Object.freeze({});
/** Of a pass over keys that were named. */
const NO_SURVEY: Survey = { idle: new Map(), leftovers: [] };
/** How often a target that another worker works on is looked at, in milliseconds. */
const FOLLOW_MS = 500;

/** The engine of one policy over one journal. */
export function createEngine(policy: Policy, parts: Parts): Engine {
  const { journal, clock, random } = parts;
  let ground = groundOf(policy);
  const owner: Owner = { installation: policy.installation, journal: journal.id };
  /** Targets that a pass of this process is working on: a second pass leaves them to it. */
  const active = new Set<string>();
  const turns = new Turns();
  /** By target, the failures that were last said, of its steps and of its passes (""): the same again is said once. */
  const said = new Map<string, Map<string, string>>();
  /** By question, when consumers were asked last. */
  const asked = new Map<string, Asked>();
  const surveyed = { journal, clock, owner, ground: () => ground, active };

  function saidOf(target: string): Map<string, string> {
    const kept = said.get(target) ?? new Map<string, string>();
    said.set(target, kept);
    return kept;
  }

  function placesNamed(keys: readonly string[] | undefined): readonly KeyPlace[] {
    return keys === undefined ? ground.places : keys.map(placeNamed);
  }

  function placeNamed(key: string): KeyPlace {
    const place = ground.named.get(key);
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
          asked,
          turn: turns.of(Object.values(ground.targets.get(target) ?? NO_KEYS)[0]),
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
      const { document, requests } = await journal.read(place.target);
      const refusal = await refusalOf(place, startedAt);
      const asked = requests.some(({ field }) => field === place.field);
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
      const { idle, leftovers } = options.keys
        ? NO_SURVEY
        : await survey({ ...surveyed, start: options.start });
      for (const { target } of idle.keys()) said.get(target)?.delete("");
      const earlier = new Map<KeyPlace, Before | RotationError>();
      for (const place of named) if (!idle.has(place)) earlier.set(place, await beforePass(place));
      const all = new Set([...[...earlier.keys()].map(({ target }) => target), ...leftovers]);
      const ends = new Map<string, PassEnd>();
      await Promise.all([...all].map(async (target) => ends.set(target, await endOf(target, options))));
      const results: KeyResult[] = [];
      for (const place of named) {
        const was = earlier.get(place);
        const known = idle.get(place);
        if (known) results.push(known);
        else if (was)
          results.push(await result(place, was, ends.get(place.target) ?? { end: "idle" }, startedAt));
      }
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
      const places = placesByTarget(named);
      const found = new Map<KeyPlace, KeyStatus>();
      await journal.each((entry) => {
        for (const place of places.get(entry.target) ?? [])
          found.set(
            place,
            "error" in entry
              ? damagedStatus(place, entry.error)
              : statusOf(place, entry.document, clock.now()),
          );
      });
      return named.map((place) => found.get(place) ?? statusOf(place, emptyDocument(), clock.now()));
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
      await journal.each((entry) => {
        if ("error" in entry) return;
        // What is past has had its pass, and is blocked or waits for something else than an instant.
        for (const at of instants(entry.document))
          if (at > clock.now()) earliest = Math.min(earliest ?? at, at);
      });
      return earliest;
    },

    close: () => journal.close(),
  };
}

/** A key whose part of the journal cannot be read. */
function unplanned(place: KeyPlace, { message, hint }: RotationError): KeyPlan {
  const why = hint ? `${message}; ${hint}` : message;
  return { key: place.key, target: place.target, verb: "BLOCKED", why, steps: [], warnings: [] };
}

/** The journalled instants at which a target needs attention. */
function instants(document: TargetEntry["document"]): number[] {
  const due = Object.values(document.keys).map((key) => key.retry?.at ?? key.due?.at);
  const retire = Object.values(document.issued).map((record) => record.retire?.dueAt);
  return [...due, ...retire].filter((at) => at !== undefined);
}
