import {
  CONFIG_MAPS,
  CONTROLLER_REVISIONS,
  DAEMON_SETS,
  DEPLOYMENTS,
  EVENTS,
  EXTERNAL_SECRETS,
  type KubeResource,
  LEASES,
  PODS,
  REPLICA_SETS,
  SECRETS,
  STATEFUL_SETS,
} from "../../../src/kubernetes/api.ts";
import type { Shape } from "./decode.ts";
import { type Json, same } from "./json.ts";
import type { FieldFault } from "./refusal.ts";
import {
  configMapFaults,
  eventFaults,
  leaseFaults,
  podFaults,
  secretFaults,
  workloadFaults,
} from "./validate.ts";

/** How the API server treats a kind. */
export interface Kind extends KubeResource {
  shape: Shape;
  /** What else it may hold at the top; all other fields are dropped. Any field when left out. */
  fields?: readonly string[];
  /** A PUT makes what is absent. */
  createOnUpdate?: boolean;
  /** A PUT without resourceVersion overwrites whatever is there. */
  unconditional?: boolean;
  /** It has `/status`, and everything else leaves the status alone. */
  status?: boolean;
  /** Whether a change counts in metadata.generation. */
  counts?: (object: Json, before: Json) => boolean;
  /** Defined by a CustomResourceDefinition: the cluster may lack it. */
  custom?: boolean;
  faults?: (object: Json, before?: Json) => FieldFault[];
  defaults?: (object: Json) => Json;
}

const specChanged = (object: Json, before: Json) => !same(object.spec, before.spec);

export const KINDS: readonly Kind[] = [
  {
    ...SECRETS,
    shape: { data: "base64", stringData: "strings", type: "string", immutable: "bool" },
    fields: ["data", "stringData", "type", "immutable"],
    unconditional: true,
    faults: secretFaults,
    defaults: secretDefaults,
  },
  {
    ...CONFIG_MAPS,
    shape: { data: "strings", binaryData: "base64", immutable: "bool" },
    fields: ["data", "binaryData", "immutable"],
    unconditional: true,
    faults: configMapFaults,
  },
  {
    ...LEASES,
    shape: {
      spec: "object",
      "spec.holderIdentity": "string",
      "spec.leaseDurationSeconds": "int32",
      "spec.leaseTransitions": "int32",
      "spec.acquireTime": "microTime",
      "spec.renewTime": "microTime",
    },
    fields: ["spec"],
    createOnUpdate: true,
    faults: leaseFaults,
    defaults: (object) => ({ ...object, spec: object.spec ?? {} }),
  },
  {
    ...EVENTS,
    shape: {
      involvedObject: "object",
      source: "object",
      reason: "string",
      message: "string",
      type: "string",
      action: "string",
      reportingComponent: "string",
      reportingInstance: "string",
      count: "int32",
      eventTime: "microTime",
      firstTimestamp: "time",
      lastTimestamp: "time",
    },
    createOnUpdate: true,
    unconditional: true,
    faults: eventFaults,
  },
  {
    ...PODS,
    shape: { spec: "object" },
    unconditional: true,
    status: true,
    counts: specChanged,
    faults: podFaults,
    defaults: (object) => ({ ...object, status: object.status ?? { phase: "Pending" } }),
  },
  workload(DEPLOYMENTS, {
    counts: (object, before) =>
      specChanged(object, before) || !same(annotationsOf(object), annotationsOf(before)),
    defaults: (object) => ({
      ...object,
      spec: {
        replicas: 1,
        strategy: {
          type: "RollingUpdate",
          rollingUpdate: { maxUnavailable: "25%", maxSurge: "25%" },
        },
        revisionHistoryLimit: 10,
        progressDeadlineSeconds: 600,
        ...(object.spec as Json),
      },
    }),
  }),
  workload(STATEFUL_SETS, {
    defaults: (object) => ({
      ...object,
      spec: {
        replicas: 1,
        podManagementPolicy: "OrderedReady",
        updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 0 } },
        revisionHistoryLimit: 10,
        ...(object.spec as Json),
      },
    }),
  }),
  workload(DAEMON_SETS, {
    defaults: (object) => ({
      ...object,
      spec: {
        updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } },
        revisionHistoryLimit: 10,
        ...(object.spec as Json),
      },
    }),
  }),
  workload(REPLICA_SETS, {
    defaults: (object) => ({ ...object, spec: { replicas: 1, ...(object.spec as Json) } }),
  }),
  { ...CONTROLLER_REVISIONS, shape: { revision: "int32" }, unconditional: true },
  {
    ...EXTERNAL_SECRETS,
    shape: { spec: "object" },
    status: true,
    custom: true,
    counts: (object, before) => !same(withoutStatus(object), withoutStatus(before)),
  },
];

export function kindOf({ group, plural }: KubeResource): Kind {
  const kind = KINDS.find((one) => one.group === group && one.plural === plural);
  if (!kind) throw new Error(`the model knows no ${plural}`);
  return kind;
}

/** As objects state it: `apps/v1`, `v1`. */
export function apiVersionOf({ group, version }: { group: string; version: string }): string {
  return group === "" ? version : `${group}/${version}`;
}

function workload(resource: KubeResource, own: Pick<Kind, "defaults" | "counts">): Kind {
  const shape: Shape = { spec: "object", "spec.replicas": "int32", "spec.template": "object" };
  return {
    ...resource,
    shape,
    unconditional: true,
    status: true,
    counts: specChanged,
    faults: workloadFaults,
    ...own,
  };
}

/** `stringData` is written into `data`, and is never read back. */
function secretDefaults({ stringData, ...object }: Json): Json {
  const encoded = Object.entries((stringData ?? {}) as Record<string, string>).map(([key, text]) => [
    key,
    Buffer.from(text).toString("base64"),
  ]);
  const data = { ...(object.data as Json | undefined), ...Object.fromEntries(encoded) };
  return { ...object, data, type: object.type || "Opaque" };
}

function withoutStatus({ metadata: _metadata, status: _status, ...rest }: Json): Json {
  return rest;
}

function annotationsOf(object: Json): unknown {
  return (object.metadata as { annotations?: unknown }).annotations ?? {};
}
