import type { KubeApi } from "../../kubernetes/api.ts";
import { type Check, failed, noted } from "../../lib/check.ts";
import { asRotationError, RotationError } from "../../lib/errors.ts";
import type { KubeRight } from "../../rights/needed.ts";
import type { CheckGroup } from "./groups.ts";

const REMEDY =
  "apply what `rotate init --kubernetes-rbac` prints, with --namespace and --service-account of who keyturn runs as";

/** A cluster of the policy, and what was found there. */
export interface ClusterGroup extends CheckGroup {
  kind: "cluster";
  context: string | undefined;
  /** False: nobody answers there, or not to us; then there is one check, which says so. */
  answers: boolean;
}

/**
 * Asks each cluster of the policy whether we may do what the policy needs there: one check for each
 * object. What stores need is left to their own checks, and only asked for to see that the cluster answers.
 */
export async function checkRights(
  rights: readonly KubeRight[],
  kube: (context?: string) => KubeApi,
): Promise<ClusterGroup[]> {
  const clusters = [...Map.groupBy(rights, ({ context }) => context)];
  return await Promise.all(
    clusters.map(async ([context, theirs]): Promise<ClusterGroup> => {
      const api = kube(context);
      const group = { kind: "cluster", context } as const;
      let name = context ?? "kubernetes";
      try {
        name = (await api.cluster()).name;
        return { ...group, name, answers: true, checks: await checkCluster(api, theirs) };
      } catch (thrown) {
        return { ...group, name, answers: false, checks: [failed("cluster", thrown)] };
      }
    }),
  );
}

/** Throws where the cluster as a whole is at fault, and not one right. */
async function checkCluster(api: KubeApi, rights: readonly KubeRight[]): Promise<Check[]> {
  const [first] = rights;
  if (first === undefined) return [];
  try {
    await api.may(first);
  } catch (thrown) {
    if (asRotationError(thrown).code !== "forbidden") throw thrown;
    return [noted("rights", "not checked: we may not ask what we may do")];
  }
  const listed = rights.filter(({ part }) => part !== "store");
  const objects = Map.groupBy(listed, (right) =>
    JSON.stringify([right.namespace, objectOf(right), right.optional]),
  );
  const answers: Check = { check: "cluster", result: "passed", says: "answers, and accepts us" };
  return [answers, ...(await Promise.all([...objects.values()].map((theirs) => checkObject(api, theirs))))];
}

/** All rights are of one object, or of all of its kind, and either needed or optional. */
async function checkObject(api: KubeApi, rights: readonly KubeRight[]): Promise<Check> {
  const [first] = rights as [KubeRight, ...KubeRight[]];
  const object = objectOf(first);
  const place = `${object} in namespace ${first.namespace}`;
  try {
    const answers = await Promise.all(rights.map(async (right) => ({ right, ...(await api.may(right)) })));
    const missing = answers.filter(({ allowed }) => !allowed);
    if (missing.length === 0) {
      await expectThereOrMade(api, first);
      return { check: object, result: "passed", says: `may ${verbs(rights)} ${place}` };
    }
    const why = missing[0]?.why === undefined ? "" : ` (${missing[0].why})`;
    const says = `may not ${verbs(missing.map(({ right }) => right))} ${place}${why}`;
    if (first.optional) return noted(object, `${says}: it ${first.why}`);
    return { check: object, result: "failed", says, hint: REMEDY };
  } catch (thrown) {
    return failed(object, thrown);
  }
}

/** The journal's objects are there, even if empty, or may be made. Throws RotationError `absent`. */
async function expectThereOrMade(
  api: KubeApi,
  { part, resource, namespace, name }: KubeRight,
): Promise<void> {
  if (part !== "journal" || name === undefined) return;
  if ((await api.get(resource, namespace, name)) !== undefined) return;
  if ((await api.may({ verb: "create", resource, namespace })).allowed) return;
  throw new RotationError(
    "absent",
    `${resource.plural}/${name} is not there, and may not create ${resource.plural} in namespace ${namespace}`,
    { hint: REMEDY },
  );
}

function verbs(rights: readonly KubeRight[]): string {
  return rights.map(({ verb }) => verb).join(" and ");
}

/** `secrets/payments`; `pods` for all of them. */
function objectOf({ resource, name }: KubeRight): string {
  return name === undefined ? resource.plural : `${resource.plural}/${name}`;
}
