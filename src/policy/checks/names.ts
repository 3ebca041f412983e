import type { Findings } from "../findings.ts";
import { didYouMean } from "../nearest.ts";
import { formatPath, type Path } from "../tree.ts";
import type { PolicyView } from "../view.ts";

/** Names that must exist do, and names that must be unique are. */
export function checkNames(view: PolicyView, findings: Findings): void {
  const taken = uniqueness(view, findings);
  for (const { path, policy } of view.keys) taken("name", policy.name, [...path, "name"]);
  for (const { path, policy, consumers } of view.keys) {
    for (const [index, name] of (policy.formerly ?? []).entries()) {
      taken("name", name, [...path, "formerly", index]);
    }
    taken("adopted hash", policy.adopt?.hash, [...path, "adopt", "hash"]);
    const consumerTaken = uniqueness(view, findings);
    for (const [index, consumer] of consumers.entries()) {
      consumerTaken("consumer name", consumer?.name, [...path, "consumers", index, "name"]);
    }
    exists(view, findings, [...path, "provider"], policy.provider, "providers", [...view.providers.keys()]);
    exists(view, findings, [...path, "store", "use"], policy.store?.use, "stores", [...view.stores.keys()]);
  }
}

function uniqueness(view: PolicyView, findings: Findings) {
  const seen = new Map<string, Path>();
  return (what: string, value: string | undefined, path: Path) => {
    if (value === undefined) return;
    const earlier = seen.get(`${what} ${value}`);
    if (!earlier) seen.set(`${what} ${value}`, path);
    else
      findings.fault(
        view.tree,
        path,
        `the ${what} ${JSON.stringify(value)} is taken by ${formatPath(earlier)}`,
      );
  };
}

function exists(
  view: PolicyView,
  findings: Findings,
  path: Path,
  name: string | undefined,
  section: string,
  names: string[],
): void {
  if (name === undefined || names.includes(name)) return;
  findings.fault(
    view.tree,
    path,
    `found ${JSON.stringify(name)}, which is not under ${section}; accepted: ${names.join(", ") || `nothing, as ${section} is empty`}`,
    { hint: didYouMean(name, names) },
  );
}
