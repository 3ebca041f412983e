import { isObject, parseJson } from "../content.ts";
import { annotationOf, type KubeSecret, own } from "./secret-object.ts";

const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

/** What may put an earlier value back into an entry, in words, with what to do about it. */
export function reverters(secret: KubeSecret, field: string): string[] {
  const { name, labels } = secret.metadata;
  const out = `take the entry out of what it applies`;
  const argo =
    annotationOf(secret, "argocd.argoproj.io/tracking-id") ?? own(labels, "argocd.argoproj.io/instance");
  const flux = own(labels, "kustomize.toolkit.fluxcd.io/name") ?? own(labels, "helm.toolkit.fluxcd.io/name");
  return [
    ...(appliedEntry(annotationOf(secret, LAST_APPLIED), field)
      ? [
          `Secret ${name} was written by kubectl apply with a value of ${field}, which stands in an annotation too: the next apply would put it back; ${out} (a promotion takes it out of the annotation)`,
        ]
      : []),
    ...appliers(secret, field).map(
      (manager) =>
        `${field} of Secret ${name} was set by ${manager} by server-side apply: the next one may put its value back; ${out}`,
    ),
    ...(argo === undefined
      ? []
      : [
          `Secret ${name} is tracked by Argo CD (${argo}): a sync may put its value back; ${out}, or ignore /data/${field} by ignoreDifferences with RespectIgnoreDifferences=true`,
        ]),
    ...(flux === undefined || leavesOthers(secret)
      ? []
      : [
          `Secret ${name} is applied by Flux (${flux}): a reconciliation may put its value back; ${out}, or annotate it with kustomize.toolkit.fluxcd.io/ssa: IfNotPresent`,
        ]),
  ];
}

/**
 * The Secret without that entry in what kubectl apply has noted of it: so a plaintext of long ago goes,
 * and an apply of a manifest from which the entry was taken out does not delete it.
 */
export function withoutApplied(secret: KubeSecret, field: string): KubeSecret {
  const text = annotationOf(secret, LAST_APPLIED);
  const applied = appliedEntry(text, field);
  if (text === undefined || !applied) return secret;
  const rest = Object.fromEntries(
    Object.entries(applied).map(([part, value]) => {
      if (!isObject(value) || !ENTRIES.includes(part)) return [part, value];
      const { [field]: _, ...others } = value;
      return [part, others];
    }),
  );
  const { metadata } = secret;
  const annotations = { ...metadata.annotations, [LAST_APPLIED]: `${JSON.stringify(rest)}\n` };
  return { ...secret, metadata: { ...metadata, annotations } };
}

const ENTRIES = ["data", "stringData"];

/** The manifest, where it has that entry. */
function appliedEntry(text: string | undefined, field: string): Record<string, unknown> | undefined {
  if (text === undefined) return undefined;
  let applied: unknown;
  try {
    applied = parseJson(text);
  } catch {
    return undefined;
  }
  if (!isObject(applied)) return undefined;
  const has = ENTRIES.map((part) => applied[part]).some(
    (entries) => isObject(entries) && Object.hasOwn(entries, field),
  );
  return has ? applied : undefined;
}

/** Who has set that entry by server-side apply. */
function appliers({ metadata }: KubeSecret, field: string): string[] {
  return (metadata.managedFields ?? []).flatMap(({ manager, operation, fieldsV1 }) => {
    const data = isObject(fieldsV1) ? own(fieldsV1, "f:data") : undefined;
    const sets = operation === "Apply" && isObject(data) && Object.hasOwn(data, `f:${field}`);
    return sets ? [String(manager)] : [];
  });
}

/** Whether Flux is told to leave alone what others have set. */
function leavesOthers(secret: KubeSecret): boolean {
  const told = (name: string) =>
    annotationOf(secret, `kustomize.toolkit.fluxcd.io/${name}`) ??
    own(secret.metadata.labels, `kustomize.toolkit.fluxcd.io/${name}`);
  return told("reconcile") === "disabled" || ["IfNotPresent", "Ignore"].includes(told("ssa") ?? "");
}
