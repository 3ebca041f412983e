import PQueue from "p-queue";
import { asRotationError } from "../lib/errors.ts";
import type { HttpResponse } from "../lib/http.ts";
import type { ProbePolicy } from "../policy/schema.ts";
import { judgeContract } from "./contract.ts";
import { judgeExpectation, tellsKeys } from "./expectation.ts";
import type { PreparedRequest } from "./http-target.ts";
import type { Judgement } from "./judgement.ts";
import type { ProbeParts } from "./parts.ts";
import type { Expected } from "./probe.ts";

/** So many instances of one consumer are asked at the same time. */
const CONCURRENCY = 32;

export type Answer = Judgement & { place: string };

/** Sends every request and judges each answer as the probe's policy says; in the order of the requests. Never throws. */
export function askAll(
  probe: ProbePolicy,
  requests: readonly PreparedRequest[],
  expected: Expected,
  parts: Pick<ProbeParts, "send">,
): Promise<Answer[]> {
  const queue = new PQueue({ concurrency: CONCURRENCY });
  return queue.addAll(requests.map((one) => () => ask(probe, one, expected, parts)));
}

async function ask(
  probe: ProbePolicy,
  { place, request }: PreparedRequest,
  expected: Expected,
  parts: Pick<ProbeParts, "send">,
): Promise<Answer> {
  try {
    return { place, ...judge(probe, await parts.send(request), expected) };
  } catch (thrown) {
    const error = asRotationError(thrown);
    const answered = error.code === "malformed" || error.code === "unusable" || error.code === "internal";
    const why = error.hint ? `${error.message}: ${error.hint}` : error.message;
    return { place, verdict: answered ? "unwell" : "silent", detail: why };
  }
}

function judge(probe: ProbePolicy, response: HttpResponse, expected: Expected): Judgement {
  const statusIsEnough = probe.trustStatus || probe.evidence === "usage";
  if (!probe.expect && !statusIsEnough) return judgeContract(response, expected);
  const expect = probe.expect ?? {};
  const judged = judgeExpectation(response, expect, expected);
  if (judged.verdict !== "confirms" || statusIsEnough || tellsKeys(expect)) return judged;
  return { verdict: "unwell", detail: "the probe cannot tell the new key from the old one" };
}
