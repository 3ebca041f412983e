import { RotationError } from "../../lib/errors.ts";
import { didYouMean } from "../../policy/nearest.ts";
import type { Policy } from "../../policy/schema.ts";
import { rightsManifest } from "../../rights/manifest.ts";
import { type KubeRight, neededRights } from "../../rights/needed.ts";
import { emptyObjects } from "../../rights/objects.ts";

export interface RightsOptions {
  namespace?: string;
  serviceAccount?: string;
  context?: string;
}

/** The manifests of what a policy needs in one cluster of Kubernetes. Throws RotationError `usage` where it needs nothing, or it is not clear in which. */
export function rightsOf(
  policy: Policy,
  file: string,
  { namespace, serviceAccount = "keyturn", context }: RightsOptions,
): string {
  expectName("--namespace", namespace, NAMESPACE);
  expectName("--service-account", serviceAccount, SERVICE_ACCOUNT);
  const here = namespace ?? homeOf(policy);
  const rights = neededRights(policy, here);
  if (rights.length === 0)
    throw new RotationError("usage", `${file} uses nothing of Kubernetes, so it needs no rights there`, {
      hint: "this is for policies with a Kubernetes store or journal, or with probes or reloads by the Kubernetes API",
    });
  const chosen = chooseCluster(rights, context);
  const objects = emptyObjects(policy).filter((one) => one.context === chosen);
  return rightsManifest(
    { namespace: here, name: serviceAccount },
    rights.filter((right) => right.context === chosen),
    objects.map(({ object }) => object),
  );
}

const NAMESPACE = { form: /^(?=.{1,63}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, like: "a namespace like keyturn" };
const SERVICE_ACCOUNT = {
  form: /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/,
  like: "the name of a ServiceAccount like keyturn",
};

function expectName(
  option: string,
  given: string | undefined,
  { form, like }: { form: RegExp; like: string },
): void {
  if (given === undefined || form.test(given)) return;
  throw new RotationError("usage", `${option}: found ${JSON.stringify(given)}; accepted: ${like}`);
}

/** Where keyturn runs, unless it is said: beside its journal, else beside the first secret. */
function homeOf({ journal, stores }: Policy): string {
  if (journal.type === "kubernetes") return journal.namespace;
  const store = Object.values(stores).find((one) => one.type === "kubernetes");
  return store?.type === "kubernetes" ? store.namespace : "default";
}

/** Manifests are of one cluster. Throws RotationError `usage` where the policy has several and none of them is chosen. */
function chooseCluster(rights: readonly KubeRight[], context: string | undefined): string | undefined {
  const all = [...new Set(rights.map((right) => right.context))];
  const names = all.filter((one) => one !== undefined);
  if (context === undefined) {
    if (all.length === 1) return all[0];
    throw new RotationError("usage", "the policy speaks to several clusters, and manifests are of one", {
      hint: `choose one with --context: ${names.join(", ")}${all.includes(undefined) ? ', or "" for the one that keyturn runs in' : ""}`,
    });
  }
  if (all.includes(context || undefined)) return context || undefined;
  throw new RotationError("usage", `the policy names no context ${JSON.stringify(context)}`, {
    hint:
      didYouMean(context, names) ?? (names.length > 0 ? `it names: ${names.join(", ")}` : "it names none"),
  });
}
