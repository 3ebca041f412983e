import type { PolicySnapshot, RequestRecord, RotationRecord, TargetDocument } from "../journal/document.ts";
import type { Journal } from "../journal/journal.ts";
import { memoryJournal, memoryJournalState } from "../journal/memory.ts";
import { asRotationError } from "../lib/errors.ts";
import type { Owner } from "../lib/owner.ts";
import { formatDuration } from "../policy/duration.ts";
import { ROLLOUT_PROVES } from "../policy/rollout-proves.ts";
import { decide } from "./decide.ts";
import { type ForeseenCalls, foreseenCalls } from "./foreseen-calls.ts";
import { Facts, namedWorkspaces, observe } from "./observe.ts";
import type { Parts } from "./parts.ts";
import type { KeyPlan, PlanStep } from "./report.ts";
import { type Effect, type Note, type Step, stepKey } from "./step.ts";
import { record } from "./steps/act.ts";
import { adopt } from "./steps/adopt.ts";
import { StepContext } from "./steps/context.ts";
import type { KeyPlace } from "./targets.ts";
import type { Failure, World } from "./world.ts";

/** A plan ends by itself well before this; the bound is against a fault of ours. */
const MOST_STEPS = 100;

/**
 * What a pass would do now with one key: looks are made, changes of the journal go to a copy in
 * memory, and the first step that would change anything outside ends it; from there on the phases
 * that follow are listed. Changes nothing.
 */
export async function planKey(
  parts: Parts,
  place: KeyPlace,
  owner: Owner,
  document: TargetDocument,
  requested: boolean,
): Promise<KeyPlan> {
  const ahead = await lookAhead(parts, place, owner, document, requested);
  const hash = document.keys[place.field]?.current?.hash;
  if (ahead.verb !== "ROTATE" || hash === undefined) return ahead;
  const lost = await uncarried(parts, place, hash);
  return { ...ahead, warnings: [...ahead.warnings, ...lost] };
}

/** What hangs on the old key's hash at the provider and cannot follow, in words. */
async function uncarried(parts: Parts, { snapshot }: KeyPlace, hash: string): Promise<string[]> {
  try {
    return (await parts.connect.provider(snapshot).uncarried?.(hash)) ?? [];
  } catch (thrown) {
    return [
      `what hangs on the old key's hash at the provider is not known: ${asRotationError(thrown).message}`,
    ];
  }
}

async function lookAhead(
  parts: Parts,
  place: KeyPlace,
  owner: Owner,
  document: TargetDocument,
  requested: boolean,
): Promise<KeyPlan> {
  const journal = await scratch(parts, place.target, document);
  const lease = await journal.acquire(place.target, 3_600_000);
  if (lease === undefined) throw new Error("a fresh journal gave no lease");
  const dry: Parts = { ...parts, journal };
  const facts = new Facts();
  const failed: Record<string, Failure> = {};
  const steps: PlanStep[] = [];
  let requests: RequestRecord[] = requested
    ? [
        {
          id: "plan",
          target: place.target,
          field: place.field,
          kind: "rotate",
          actor: "--now",
          at: parts.clock.now(),
        },
      ]
    : [];
  for (let count = 0; count < MOST_STEPS; count += 1) {
    const world: World = {
      now: parts.clock.now(),
      target: place.target,
      owner,
      document: (await journal.read(place.target)).document,
      policies: { [place.field]: place.snapshot },
      requests,
      mayStart: true,
      fraction: 0.5,
      ...facts.known(),
      failed,
    };
    const decision = decide(world);
    if (!("step" in decision)) return ended(place, world, decision, steps);
    const { step } = decision;
    const context = new StepContext(dry, lease, facts, world, step);
    if ("look" in step || ("effect" in step && step.effect === "adopt")) {
      try {
        if ("look" in step) await observe(parts, world, facts, step, parts.clock.now());
        else {
          await adopt(context, step.field);
          steps.push({ reason: step.reason, action: step.says });
        }
      } catch (thrown) {
        failed[stepKey(step)] = { error: asRotationError(thrown), at: world.now, count: 1, until: Infinity };
      }
      continue;
    }
    if ("effect" in step && step.effect === "claim") {
      const fact = facts.store[step.field];
      if (fact) fact.value = { ...fact.value, owner };
      steps.push({ reason: step.reason, action: step.says });
      continue;
    }
    if ("effect" in step && step.effect === "take-stock") {
      steps.push({ reason: step.reason, action: step.says });
      await context.commit("stock-taken", (draft) => {
        const { leftBehind } = draft.keys[step.field] ?? {};
        if (leftBehind) leftBehind.at = world.now;
      });
      continue;
    }
    if ("effect" in step) return active(place, world, step, steps);
    if (!["schedule", "unblock", "intend", "overdue"].includes(step.note))
      steps.push({ reason: step.reason, action: step.says });
    if (step.note === "block" || (step.note === "answer" && step.refused))
      return plan(place, "BLOCKED", step.says, []);
    if ("requests" in step && step.requests?.includes("plan")) requests = [];
    await record(context, withoutRequests(step as Note));
  }
  return plan(place, "CONTINUE", "more steps than can be foreseen", steps);
}

function withoutRequests(note: Note): Note {
  return "requests" in note ? { ...note, requests: [] } : note;
}

async function scratch(parts: Parts, target: string, document: TargetDocument): Promise<Journal> {
  const state = memoryJournalState(parts.random);
  state.documents.set(target, JSON.stringify(document));
  const journal = memoryJournal(parts, state);
  return new Proxy(journal, {
    get: (inner, name) => {
      if (name === "ownerOf") return (hash: string) => parts.journal.ownerOf(hash);
      const value = Reflect.get(inner, name) as unknown;
      return typeof value === "function" ? value.bind(inner) : value;
    },
  });
}

function plan(place: KeyPlace, verb: KeyPlan["verb"], why: string, steps: PlanStep[]): KeyPlan {
  return { key: place.key, target: place.target, verb, why, steps, warnings: weaknesses(place.snapshot) };
}

function ended(
  place: KeyPlace,
  world: World,
  decision: ReturnType<typeof decide>,
  steps: PlanStep[],
): KeyPlan {
  const adopted = steps.some((step) => step.reason === "adopt");
  const [failure] = Object.values(world.failed);
  if ("wait" in decision && failure) return plan(place, "BLOCKED", failure.error.message, steps);
  const { rotation } = world.document;
  if ("wait" in decision && rotation?.hold) return plan(place, "BLOCKED", rotation.hold.message, steps);
  if ("wait" in decision) {
    const waits = decision.wait.reason === "consumers" ? "RETIRE" : "NOTHING";
    return plan(place, rotation ? "CONTINUE" : waits, `waits: ${decision.wait.says}`, steps);
  }
  if ("parked" in decision) {
    const stuck = rotation?.hold ?? world.document.keys[place.field]?.blocked;
    const verb = stuck ? "BLOCKED" : "NOTHING";
    return plan(place, verb, decision.parked.says, steps);
  }
  const { until } = "idle" in decision ? decision.idle : { until: undefined };
  const next = until === undefined ? "nothing is scheduled" : `next at ${new Date(until).toISOString()}`;
  return plan(place, adopted ? "ADOPT" : "NOTHING", next, steps);
}

/** The steps of a rotation from the first that changes something outside. */
function active(place: KeyPlace, world: World, first: Step & Effect, steps: PlanStep[]): KeyPlan {
  const { rotation } = world.document;
  if (rotation === undefined) {
    steps.push({ reason: first.reason, action: first.says });
    return plan(place, "RETIRE", first.says, steps);
  }
  const outline =
    rotation.phase === "planned" ? outlineOf(rotation.policy, rotation.old !== undefined, first.says) : [];
  steps.push(...(outline.length > 0 ? outline : [{ reason: first.reason, action: first.says }]));
  const verb =
    world.document.rotation?.startedAt === world.now || steps.some((one) => one.reason === rotation.kind)
      ? rotation.kind === "provision"
        ? "PROVISION"
        : "ROTATE"
      : "CONTINUE";
  const planned = plan(place, verb, rotation.reason, steps);
  return verb === "CONTINUE" ? planned : { ...planned, calls: callsOf(world, rotation) };
}

/** The new key goes to the workspace that the policy names, or to the old key's; each that was ever named is walked. */
function callsOf(world: World, { policy, old }: RotationRecord): ForeseenCalls {
  const current = old && world.issued[old.hash]?.value;
  const named = new Set(namedWorkspaces(world.document, policy));
  if (policy.key.settings.workspaceId === undefined && current?.workspaceId !== undefined)
    named.add(current.workspaceId);
  return foreseenCalls(policy, old === undefined ? "provision" : "rotate", named.size);
}

function outlineOf({ key }: PolicySnapshot, replaces: boolean, create: string): PlanStep[] {
  const { confirm, retire } = key;
  const consumers = key.consumers === "none" ? [] : key.consumers;
  const names = consumers.map((consumer) => consumer.name).join(", ");
  const reloads = consumers.filter((consumer) => consumer.reload).map((consumer) => consumer.name);
  const outline: PlanStep[] = [
    { reason: "create", action: create },
    { reason: "verified", action: "tries the new key at the provider and compares its settings" },
    {
      reason: "promote",
      action: `makes it current in ${key.store.use}/${key.store.secret} by compare-and-swap`,
    },
  ];
  if (reloads.length > 0)
    outline.push({ reason: "reload", action: `tells ${reloads.join(", ")} to read the key again` });
  outline.push({
    reason: "confirmed",
    action:
      consumers.length === 0
        ? "asks nobody: the policy says that there are no consumers"
        : `waits until every instance of ${names} confirms ${confirm.successThreshold} times in a row, at most ${formatDuration(confirm.timeout)}, then ${confirm.onTimeout === "hold" ? "holds" : "goes back"}`,
  });
  if (!replaces) return outline;
  if (retire.after > 0)
    outline.push({ reason: "overlap", action: `lets both keys live for ${formatDuration(retire.after)}` });
  outline.push({ reason: "disable", action: "disables the old key and sees it refused" });
  if (retire.watch > 0)
    outline.push({ reason: "watch", action: `watches the consumers for ${formatDuration(retire.watch)}` });
  outline.push({
    reason: "retire-delete",
    action:
      retire.keepDisabledFor > 0
        ? `deletes the old key's hash after ${formatDuration(retire.keepDisabledFor)}`
        : "deletes the old key's hash",
  });
  return outline;
}

/** What a confirmation of these probes does not prove. */
function weaknesses({ key }: PolicySnapshot): string[] {
  if (key.consumers === "none")
    return ["nobody is asked before the old key goes: the policy says `consumers: none`"];
  return key.consumers.flatMap(({ name, probe }) => {
    if (probe.kubernetes) return [`${name}: ${ROLLOUT_PROVES}`];
    if (probe.trustStatus)
      return [`${name}: its status alone is trusted; it does not prove which key it uses`];
    if (probe.evidence === "usage")
      return [`${name}: the provider's usage counters are the evidence; a quiet consumer proves nothing`];
    const single =
      probe.http?.urls.length === 1 && probe.resolve === "first" && probe.instances === undefined;
    const url = probe.http?.urls[0];
    const named = typeof url === "string" && !/^https?:\/\/(\d+\.\d+\.\d+\.\d+|\[|localhost)/.test(url);
    return single && named
      ? [`${name}: one address stands for every instance behind it (set resolve: all or instances)`]
      : [];
  });
}
