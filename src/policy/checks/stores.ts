import { resolve, sep } from "node:path";
import type { Findings } from "../findings.ts";
import { find, type Path } from "../tree.ts";
import type { PolicyView } from "../view.ts";
import { checkAwsStores } from "./aws-stores.ts";
import { checkKubernetesStores } from "./kubernetes-stores.ts";

/** Each file store has a directory of its own, which not everyone can read or write; secrets in AWS and Kubernetes are named as these take it. */
export function checkStores(view: PolicyView, findings: Findings): void {
  checkAwsStores(view, findings);
  checkKubernetesStores(view, findings);
  const places: { name: string; path: string }[] = [];
  for (const [name, store] of view.stores) {
    if (store?.type !== "file") continue;
    const at = ["stores", name];
    for (const [field, example, owner] of [
      ["mode", "0640", 0o600],
      ["dirMode", "0750", 0o700],
    ] as const) {
      const bits = Number.parseInt(store[field], 8);
      if ((bits & 0o007) !== 0) {
        findings.fault(
          view.tree,
          [...at, field],
          `found "${store[field]}": everyone on this machine could get at the keys`,
          {
            hint: `for consumers of the same group: "${example}"`,
          },
        );
      } else if ((bits & owner) !== owner) {
        findings.fault(
          view.tree,
          [...at, field],
          `found "${store[field]}": keyturn itself could not read and write there`,
          {
            hint: `at least "0${owner.toString(8)}"`,
          },
        );
      }
    }
    if (startsWithTilde(view, [...at, "path"], store.path, findings)) continue;
    const path = resolve(view.folder, store.path);
    const other = places.find((place) => isWithin(path, place.path) || isWithin(place.path, path));
    if (other) {
      const how = other.path === path ? "is the directory of" : "lies in one tree with";
      findings.fault(
        view.tree,
        [...at, "path"],
        `this ${how} the store ${other.name}; each store needs a directory of its own`,
      );
    }
    places.push({ name, path });
  }
  const journal = find(view.tree, ["journal", "path"]);
  if (journal?.kind === "scalar") startsWithTilde(view, ["journal", "path"], String(journal.value), findings);
}

/** A shell would have filled it in; here it would name a directory called `~`. */
function startsWithTilde(view: PolicyView, at: Path, path: string, findings: Findings): boolean {
  if (!/^~(\/|$)/.test(path)) return false;
  const hint = `write \${HOME}${path.slice(1)}`;
  findings.fault(view.tree, at, `found ${JSON.stringify(path)}: ~ is not filled in here`, { hint });
  return true;
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}
