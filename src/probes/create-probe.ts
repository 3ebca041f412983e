import { RotationError } from "../lib/errors.ts";
import type { ConsumerPolicy } from "../policy/schema.ts";
import { execProbe } from "./exec-probe.ts";
import { httpProbe } from "./http-probe.ts";
import type { ProbeParts } from "./parts.ts";
import type { Probe } from "./probe.ts";

/** The probe of a consumer. Throws RotationError `policy-invalid` when the policy gives it none. */
export function createProbe(consumer: ConsumerPolicy, parts: ProbeParts): Probe {
  const { http, exec } = consumer.probe;
  if (http) return httpProbe(consumer, http, parts);
  if (exec) return execProbe(consumer, exec, parts);
  throw new RotationError("policy-invalid", `the probe of ${consumer.name} has neither http nor exec`, {
    hint: "give it http: URL or exec: [COMMAND]",
  });
}
