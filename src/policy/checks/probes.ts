import { isIP } from "node:net";
import type { Findings } from "../findings.ts";
import type { ConsumerPolicy, ProbePolicy } from "../schema.ts";
import type { Path } from "../tree.ts";
import { isGiven, type KeyView, type PolicyView } from "../view.ts";
import { type ConsumerContext, checkKubernetesConsumer } from "./kubernetes-consumers.ts";
import { tellsKeysApart } from "./templates.ts";

/** Each probe asks in one way, can tell the new key from the old, and means every instance. */
export function checkProbes(key: KeyView, view: PolicyView, findings: Findings): void {
  for (const [index, consumer] of key.consumers.entries()) {
    if (consumer === undefined) continue;
    const context: ConsumerContext = { key, view, findings, at: ["consumers", index] };
    checkConsumer(consumer, context);
    checkKubernetesConsumer(consumer, context);
  }
}

function checkConsumer({ probe, reload }: ConsumerPolicy, context: ConsumerContext): void {
  const { key, view, findings, at } = context;
  const fault = (path: Path, message: string, hint?: string) =>
    findings.fault(view.tree, [...key.path, ...at, ...path], message, { hint });
  if (reload) oneWay(reload, ["http", "exec", "kubernetes"], ["reload"], fault);
  if (!oneWay(probe, ["http", "exec", "pods", "kubernetes"], ["probe"], fault)) return;
  for (const { fields, why } of misplaced(probe)) {
    for (const field of fields) {
      if (isGiven(view, key, [...at, "probe", field])) fault(["probe", field], why);
    }
  }
  if (!canTell(probe)) {
    fault(
      ["probe"],
      `${probe.exec ? "this command is not told" : "this expectation does not say"} which key is the new one, so it would confirm the old one too`,
      howToTell(probe),
    );
  }
  const urls = probe.http?.urls ?? [];
  if (probe.resolve === "all" && urls.length > 1) {
    fault(
      ["probe", "resolve"],
      "found all together with several URLs; accepted: one URL whose name has every address, or a list without resolve",
    );
  }
  if (
    probe.instances !== undefined &&
    urls.length > 1 &&
    probe.resolve === "first" &&
    probe.instances > urls.length
  ) {
    fault(
      ["probe", "instances"],
      `found ${probe.instances}, more than the ${urls.length} URLs: it could never confirm`,
    );
  }
  if (isWeak(probe)) {
    findings.note(
      view.tree,
      [...key.path, ...at, "probe", "http"],
      "one URL by name may stand for several instances, and an answer proves only the one that gave it; say resolve: all, a list of URLs, or instances",
    );
  }
}

function oneWay<Way extends string>(
  action: { [way in Way]?: unknown },
  ways: readonly Way[],
  path: Path,
  fault: (path: Path, message: string) => void,
): boolean {
  const given = ways.filter((way) => action[way] !== undefined);
  if (given.length !== 1)
    fault(
      path,
      `found ${given.length === 0 ? "none" : given.join(" and ")}; accepted: one of ${ways.join(", ")}`,
    );
  return given.length === 1;
}

/** What means something to another way of asking only. */
function misplaced({ exec, pods, kubernetes }: ProbePolicy): { fields: string[]; why: string }[] {
  if (exec)
    return [
      {
        fields: ["resolve", "instances", "expect"],
        why: "this belongs to an http probe; an exec probe confirms by exit status 0",
      },
    ];
  if (pods)
    return [
      { fields: ["resolve"], why: "this belongs to an http probe; every pod is asked by its own address" },
    ];
  if (kubernetes)
    return [
      {
        fields: ["resolve", "instances", "expect", "trustStatus"],
        why: "this belongs to an http probe; a rollout is judged by what the cluster says of it",
      },
    ];
  return [];
}

/** Without an expectation of its own a probe expects the contract, which names the key. */
function canTell({ exec, expect, trustStatus, evidence }: ProbePolicy): boolean {
  if (trustStatus || evidence === "usage") return true;
  if (exec) return tellsKeysApart(exec.slice(1));
  if (!expect) return true;
  return tellsKeysApart([
    ...Object.values(expect.json ?? {}),
    ...Object.values(expect.headers ?? {}),
    expect.body,
  ]);
}

function howToTell({ exec }: ProbePolicy): string {
  const where = exec
    ? 'pass "{fingerprint}" as an argument'
    : 'expect "{fingerprint}", {hash}, {label} or {version} somewhere';
  return `${where}; or accept it knowingly with trustStatus: true, or with evidence: usage`;
}

function isWeak({ http, resolve, instances }: ProbePolicy): boolean {
  const [url, ...more] = http?.urls ?? [];
  if (typeof url !== "string" || more.length > 0 || resolve === "all" || instances !== undefined)
    return false;
  const host = new URL(url).hostname.replace(/^\[|\]$/g, "");
  return isIP(host) === 0 && !/(^|\.)localhost$/.test(host);
}
