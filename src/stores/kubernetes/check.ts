import { type KubeAccess, type KubeApi, SECRETS } from "../../kubernetes/api.ts";
import { type Check, checked, failed, noted } from "../../lib/check.ts";
import { RotationError } from "../../lib/errors.ts";
import type { Examination, SecretRef } from "../store.ts";
import { companionName, entryOf } from "./names.ts";
import type { Found, Objects } from "./objects.ts";
import { own } from "./secret-object.ts";
import { viewOf } from "./shown.ts";

const RBAC =
  "apply what `rotate init --kubernetes-rbac` prints: the Role, the RoleBinding and the empty objects";

/** Asks the cluster for each right that a rotation needs, by name, and reads the Secret and its companion. Writes nothing. */
export async function check(kube: KubeApi, objects: Objects, ref: SecretRef): Promise<Examination> {
  let field: string;
  try {
    field = entryOf(ref);
  } catch (thrown) {
    return { checks: [failed("secret", thrown)] };
  }
  const cluster = await checked("cluster", async () => {
    const { name } = await kube.cluster();
    return `${name}, namespace ${objects.namespace}`;
  });
  if (cluster.result === "failed") return { checks: [cluster] };

  const companion = companionName(ref.secret);
  const may = (verb: KubeAccess["verb"], name?: string) => right(kube, objects.namespace, verb, name);
  const rights = await Promise.all(
    [ref.secret, companion].flatMap((name) => [may("get", name), may("patch", name)]),
  );
  try {
    const found = await objects.load(ref);
    const view = viewOf(found, ref, field);
    const checks = [
      cluster,
      ...rights,
      ...(found.companion ? [] : [await may("create")]),
      ...(found.secret || !found.companion ? [] : [await create(may)]),
      ...entries(found, field),
    ];
    return { checks, found: { exists: found.secret !== undefined, view } };
  } catch (thrown) {
    return { checks: [cluster, ...rights, failed("secret", thrown)] };
  }
}

async function right(
  kube: KubeApi,
  namespace: string,
  verb: KubeAccess["verb"],
  name?: string,
): Promise<Check> {
  const what = `${verb} secrets${name === undefined ? "" : `/${name}`}`;
  let answer: { allowed: boolean; why?: string };
  try {
    answer = await kube.may({
      verb,
      resource: SECRETS,
      namespace,
      ...(name === undefined ? {} : { name }),
    });
  } catch (thrown) {
    return thrown instanceof RotationError && thrown.code === "forbidden"
      ? noted(what, "not checked: we may not ask what we may do")
      : failed(what, thrown);
  }
  const { allowed, why } = answer;
  if (allowed) return { check: what, result: "passed", says: "allowed" };
  const says = `not allowed in namespace ${namespace}${why === undefined ? "" : ` (${why})`}`;
  return failed(what, new RotationError("forbidden", says, { hint: RBAC }));
}

/** Whether the Secret itself may be made matters only to a key that says so. */
async function create(may: (verb: "create") => Promise<Check>): Promise<Check> {
  const { check: what, result, says } = await may("create");
  return result === "passed"
    ? { check: what, result, says }
    : noted(what, `${says}: needed only where the key's store has create: true`);
}

function entries({ secret, current }: Found, field: string): Check[] {
  if (secret === undefined || current === undefined || own(secret.data, field) !== undefined) return [];
  const { name } = secret.metadata;
  const others = Object.keys(secret.data ?? {}).join(", ");
  return [noted("entry", `Secret ${name} has no entry ${field}; it has: ${others}`)];
}
