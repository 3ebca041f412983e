import { detail } from "./detail.ts";
import type { Judgement } from "./judgement.ts";
import type { InstanceAnswer } from "./probe.ts";

/** A judgement as the answer of an instance, its texts bounded and without secrets. */
export function answerOf(instance: string, judged: Omit<Judgement, "instance">): InstanceAnswer {
  return {
    instance: detail(instance),
    verdict: judged.verdict,
    detail: detail(judged.detail),
    ...(judged.serving !== undefined && { serving: judged.serving }),
  };
}

export function byInstance(a: InstanceAnswer, b: InstanceAnswer): number {
  return a.instance < b.instance ? -1 : a.instance > b.instance ? 1 : 0;
}
