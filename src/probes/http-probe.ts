import { asRotationError } from "../lib/errors.ts";
import type { ConsumerPolicy, HttpTarget } from "../policy/schema.ts";
import { eachAddress } from "./addresses.ts";
import { answerOf, byInstance } from "./answers.ts";
import { type Answer, askAll } from "./ask.ts";
import { detail } from "./detail.ts";
import { type PreparedRequest, prepareHttp } from "./http-target.ts";
import type { ProbeParts } from "./parts.ts";
import type { Expected, InstanceAnswer, Probe, Sweep, Verdict } from "./probe.ts";

/** A load-balanced URL is asked so many times for each instance that should be behind it. */
const ASKS_PER_INSTANCE = 4;

/**
 * Asks by HTTP: each URL, or with `resolve: all` each address behind each name, is an instance,
 * known by its address and by the name it gives itself. With `instances: N` above one and a single
 * URL not resolved, the URL is asked 4 × N times over fresh connections, and an instance is known
 * by the name in its contract alone; the worst of its answers counts.
 */
export function httpProbe(consumer: ConsumerPolicy, target: HttpTarget, parts: ProbeParts): Probe {
  const { probe } = consumer;
  const wanted = probe.instances ?? 1;

  async function sweep(expected: Expected, signal?: AbortSignal): Promise<Sweep> {
    const prepared = await prepareHttp(target, { method: "GET", timeoutMs: probe.timeout, signal }, parts);
    const problems: string[] = [];
    let places = prepared;
    if (probe.resolve === "all") {
      const found = await Promise.all(prepared.map((one) => eachAddress(one, parts)));
      problems.push(...found.filter((one) => typeof one === "string"));
      places = found.filter((one) => typeof one !== "string").flat();
    }
    const balanced = wanted > 1 && probe.resolve === "first" && places.length === 1;
    const asks = balanced ? Array(ASKS_PER_INSTANCE * wanted).fill(places[0]) : distinct(places);
    const answers = await askAll(probe, asks, expected, parts);
    const instances = (balanced ? byOwnName(answers) : answers.map(byAddress)).sort(byInstance);
    if (problems.length === 0) problems.push(...tooFew(instances, answers, balanced));
    return {
      consumer: consumer.name,
      instances,
      ...(problems.length > 0 && { problem: detail(problems.join("; ")) }),
    };
  }

  function tooFew(instances: InstanceAnswer[], answers: Answer[], balanced: boolean): string[] {
    const named = new Set(
      answers.flatMap(({ instance }) => (instance === undefined ? [] : detail(instance))),
    );
    const count = balanced ? named.size : instances.length;
    if (count >= wanted) return [];
    if (!balanced) return [`${count} of ${wanted} instances found`];
    const unnamed = answers.some(({ instance, verdict }) => instance === undefined && verdict === "confirms");
    return [
      unnamed
        ? `one URL whose answers name no instance: ${wanted} instances cannot be told apart; list their URLs, or use resolve: all`
        : `${count} of ${wanted} instances found in ${answers.length} answers`,
    ];
  }

  return {
    consumer: consumer.name,
    sweep: (expected, signal) =>
      sweep(expected, signal).catch((thrown) => ({
        consumer: consumer.name,
        instances: [],
        problem: detail(asRotationError(thrown).message),
      })),
  };
}

/** Places that bear the same name are numbered: each is a member of its own. */
function distinct(places: PreparedRequest[]): PreparedRequest[] {
  const seen = new Map<string, number>();
  return places.map((one) => {
    const count = (seen.get(one.place) ?? 0) + 1;
    seen.set(one.place, count);
    return count === 1 ? one : { ...one, place: `${one.place}#${count}` };
  });
}

function byAddress({ place, instance, ...judged }: Answer): InstanceAnswer {
  return answerOf(instance === undefined ? place : `${place} (${instance})`, judged);
}

const BEST_TO_WORST: Verdict[] = ["confirms", "holds", "other", "unwell", "silent"];

function byOwnName(answers: Answer[]): InstanceAnswer[] {
  const worst = new Map<string, InstanceAnswer>();
  for (const { place, instance = place, ...judged } of answers) {
    const answer = answerOf(instance, judged);
    const before = worst.get(answer.instance);
    if (!before || BEST_TO_WORST.indexOf(answer.verdict) > BEST_TO_WORST.indexOf(before.verdict)) {
      worst.set(answer.instance, answer);
    }
  }
  return [...worst.values()];
}
