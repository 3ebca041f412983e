import { RotationError } from "../../lib/errors.ts";
import type { KubeSecret } from "./secret-object.ts";
import { annotationOf, own } from "./secret-object.ts";

/** Types of Kubernetes' own with entries that anybody may set; those of other makers are theirs to judge. */
const OPEN_TYPES = ["Opaque", "kubernetes.io/basic-auth"];
const CLOSED_TYPES = /^(kubernetes\.io|bootstrap\.kubernetes\.io|helm\.sh)\//;

const ANOTHER =
  "keep the key in a Secret of its own, which nothing else makes, and name that one in the policy";

/** What makes Secrets from a source of its own and would soon undo what we write, and what to do instead. */
const MAKERS: readonly { kind: RegExp; maker: string; advice: string }[] = [
  {
    kind: /^(Cluster)?ExternalSecret$/,
    maker: "External Secrets",
    advice:
      "name the store that External Secrets reads, in the policy, and ask it to refresh by reload: { kubernetes: { sync: externalsecret/NAME } }; or take the key out of the ExternalSecret, into a Secret of its own",
  },
  {
    kind: /^SealedSecret$/,
    maker: "Sealed Secrets",
    advice: `a SealedSecret is a value in git that nothing can rotate: ${ANOTHER}`,
  },
  {
    kind: /^(Vault(Static|Dynamic|PKI)Secret|HCPVaultSecretsApp)$/,
    maker: "Vault Secrets Operator",
    advice: ANOTHER,
  },
];

/**
 * Throws RotationError `unusable`, saying what to do, for a Secret that cannot be rotated: it cannot
 * be changed, its entries belong to Kubernetes, or something else writes it from a source of its own.
 */
export function assertUsable(secret: KubeSecret): void {
  const { name, deletionTimestamp } = secret.metadata;
  const refuse = (what: string, hint: string) =>
    new RotationError("unusable", `Secret ${name} ${what}`, { hint });

  if (deletionTimestamp !== undefined) {
    throw refuse("is being deleted", "wait until it is gone, and see what its finalizers wait for");
  }
  if (secret.immutable) {
    throw refuse(
      "is immutable",
      "no entry of it can ever change: make it again without immutable: true, or name another Secret",
    );
  }
  const { type = "Opaque" } = secret;
  if (CLOSED_TYPES.test(type) && !OPEN_TYPES.includes(type)) {
    throw refuse(
      `has type ${type}`,
      `the entries of such a Secret are given by its type: use one of type Opaque`,
    );
  }
  const found = makerOf(secret);
  if (found) throw refuse(`is made by ${found.maker}, which would put its own value back`, found.advice);
}

function makerOf(secret: KubeSecret): { maker: string; advice: string } | undefined {
  const { labels, ownerReferences } = secret.metadata;
  const [external, sealed] = MAKERS;
  for (const owner of ownerReferences ?? []) {
    const known = MAKERS.find(({ kind }) => kind.test(String(owner.kind)));
    if (known) return { ...known, maker: `${known.maker} (${owner.kind} ${owner.name})` };
    if (owner.controller === true) return { maker: `${owner.kind} ${owner.name}`, advice: ANOTHER };
  }
  if (own(labels, "reconcile.external-secrets.io/managed") === "true") return external;
  if (annotationOf(secret, "sealedsecrets.bitnami.com/managed") === "true") return sealed;
  if (own(labels, "secrets-store.csi.k8s.io/managed") === "true")
    return { maker: "the Secrets Store CSI driver", advice: ANOTHER };
  const release = annotationOf(secret, "meta.helm.sh/release-name");
  if (release !== undefined || own(labels, "app.kubernetes.io/managed-by") === "Helm") {
    return {
      maker: release === undefined ? "Helm" : `Helm (release ${release})`,
      advice: `the next upgrade may bring the chart's value back, and an uninstall deletes it: ${ANOTHER}`,
    };
  }
  return undefined;
}
