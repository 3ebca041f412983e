import { isIPv4, isIPv6 } from "node:net";
import { type KubeObject, PODS } from "../kubernetes/api.ts";
import type { ConsumerPolicy, PodsProbePolicy } from "../policy/schema.ts";
import { answerOf, byInstance } from "./answers.ts";
import { askAll } from "./ask.ts";
import { detail, problemOf } from "./detail.ts";
import { prepareHttp } from "./http-target.ts";
import type { Judgement } from "./judgement.ts";
import { textAt } from "./kubernetes/fields.ts";
import { type KeyHome, type KubePlace, placeOf } from "./kubernetes/place.ts";
import { isLive, podIdentity, troubleOf } from "./kubernetes/pods.ts";
import type { ProbeParts } from "./parts.ts";
import { withPatience } from "./patience.ts";
import type { Expected, InstanceAnswer, Probe, Sweep } from "./probe.ts";

/**
 * Asks every pod that the selector matches and that may still run, by its own address: terminating
 * and unready ones too. One without an address is silent, and so are those that share one, since
 * an answer from there is not known to be theirs. An instance is known by the pod's name and uid.
 */
export function podsProbe(
  consumer: ConsumerPolicy,
  policy: PodsProbePolicy,
  parts: ProbeParts,
  home?: KeyHome,
): Probe {
  const { name, probe } = consumer;

  async function livePods({ kube, namespace }: KubePlace, outer?: AbortSignal): Promise<KubeObject[]> {
    const { timeout: ms } = probe;
    const late = () => `cannot list pods in namespace ${namespace}: no answer within ${ms / 1_000}s`;
    const { items } = await withPatience({ ms, clock: parts.clock, outer, late }, (signal) =>
      kube.list<KubeObject>(PODS, namespace, { labelSelector: policy.selector, signal }),
    );
    return items.filter(isLive);
  }

  async function sweep(expected: Expected, signal?: AbortSignal): Promise<Sweep> {
    const place = await placeOf(policy.namespace, home, parts);
    const pods = await livePods(place, signal);
    const byUrl = Map.groupBy(pods, (pod) => urlOf(policy, pod));
    const urls = [...byUrl].flatMap(([url, at]) => (url !== undefined && at.length === 1 ? [url] : []));
    const { headers, auth, tls } = policy;
    const target = { urls, ...(headers && { headers }), ...(auth && { auth }), ...(tls && { tls }) };
    const prepared = await prepareHttp(target, { method: "GET", timeoutMs: probe.timeout, signal }, parts);
    const answers = await askAll(probe, prepared, expected, parts);
    const answered = new Map(prepared.map(({ request }, index) => [request.url, answers[index]]));
    const instances = [...byUrl].flatMap(([url, at]): InstanceAnswer[] =>
      at.map((pod) => answerOf(podIdentity(pod), (url && answered.get(url)) || unasked(pod, url))),
    );
    const problem = tooFew(instances.length, place.namespace);
    return { consumer: name, instances: instances.sort(byInstance), ...(problem && { problem }) };
  }

  function tooFew(count: number, namespace: string): string | undefined {
    if (count === 0) return detail(`no pod in namespace ${namespace} matches ${policy.selector}`);
    const wanted = probe.instances ?? 1;
    return count < wanted ? `${count} of ${wanted} instances found` : undefined;
  }

  return {
    consumer: name,
    sweep: (expected, signal) =>
      sweep(expected, signal).catch((thrown) => ({
        consumer: name,
        instances: [],
        problem: problemOf(thrown),
      })),
  };
}

function urlOf({ scheme, port, path }: PodsProbePolicy, pod: KubeObject): string | undefined {
  const address = textAt(pod, "status", "podIP") ?? "";
  if (isIPv4(address)) return `${scheme}://${address}:${port}${path}`;
  return isIPv6(address) ? `${scheme}://[${address}]:${port}${path}` : undefined;
}

function unasked(pod: KubeObject, url: string | undefined): Judgement {
  if (url !== undefined) return { verdict: "silent", detail: "shares its address with another pod" };
  const trouble = troubleOf(pod) ?? textAt(pod, "status", "phase") ?? "unknown phase";
  return { verdict: "silent", detail: `has no address yet (${trouble})` };
}
