import type { Findings } from "../findings.ts";
import { formatPath, type Path } from "../tree.ts";
import type { KeyView, PolicyView } from "../view.ts";

const NAME = /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const ENTRY = /^(?!\.{1,2}$)(?!\.\.)[-._a-zA-Z0-9]{1,253}$/;
/** How the names of the Secrets end in which the store keeps pending and previous values. */
const COMPANION = "-keyturn";

/** A key in Kubernetes is one entry of a Secret; both have names that Kubernetes takes, and a Secret is kept through one store. */
export function checkKubernetesStores(view: PolicyView, findings: Findings): void {
  const places = new Map<string, { use: string; path: Path }>();
  for (const key of view.keys) {
    const { use = "", secret = "" } = key.policy.store ?? {};
    const store = view.stores.get(use);
    if (store?.type !== "kubernetes") continue;
    checkNames(view, key, findings);
    const place = JSON.stringify([store.context, store.namespace, secret]);
    const other = places.get(place);
    const path = [...key.path, "store", "use"];
    if (other && other.use !== use) {
      findings.fault(
        view.tree,
        path,
        `this is the Secret of ${formatPath(other.path.slice(0, 2))} by another store; keys of one Secret name it by the same store`,
      );
    }
    places.set(place, other ?? { use, path });
  }
}

function checkNames(view: PolicyView, key: KeyView, findings: Findings): void {
  const { secret = "", field } = key.policy.store ?? {};
  const at = [...key.path, "store"];
  if (!NAME.test(secret)) {
    findings.fault(
      view.tree,
      [...at, "secret"],
      `found ${JSON.stringify(secret)}; accepted in Kubernetes: lower-case letters, digits, hyphens and dots, 253 at most, that begin and end with a letter or digit`,
    );
  } else if (secret.endsWith(COMPANION)) {
    findings.fault(
      view.tree,
      [...at, "secret"],
      `found ${JSON.stringify(secret)}: keyturn keeps values of ${secret.slice(0, -COMPANION.length)} in a Secret of that name; accepted: a name that does not end in ${COMPANION}`,
    );
  }
  if (field === undefined) {
    findings.fault(
      view.tree,
      [...at, "field"],
      "missing; a Secret of Kubernetes is always a map, and the key is one entry of its data",
      {
        hint: "name the entry, like field: OPENROUTER_API_KEY (kubectl describe secret lists those that are there)",
      },
    );
  } else if (!ENTRY.test(field)) {
    findings.fault(
      view.tree,
      [...at, "field"],
      `found ${JSON.stringify(field)}; accepted in Kubernetes: letters, digits, "-", "_" and ".", 253 at most`,
    );
  }
}
