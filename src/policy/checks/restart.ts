import { isDeepStrictEqual } from "node:util";
import type { Findings } from "../findings.ts";
import type { Policy } from "../schema.ts";
import type { Path, Tree } from "../tree.ts";

/** A worker holds these from its start to its end. */
const HELD: readonly { path: Path; of: (policy: Policy) => unknown }[] = [
  { path: ["installation"], of: ({ installation }) => installation },
  { path: ["journal"], of: ({ journal }) => journal },
  { path: ["server"], of: ({ server }) => server !== undefined },
  { path: ["server", "address"], of: ({ server }) => server?.address },
  { path: ["server", "port"], of: ({ server }) => server?.port },
];

/** What a worker that runs under `inForce` cannot take up. The first difference of a field says it all. */
export function checkRestart(next: Policy, inForce: Policy, tree: Tree, findings: Findings): void {
  for (const { path, of } of HELD) {
    if (isDeepStrictEqual(of(next), of(inForce))) continue;
    findings.fault(
      tree,
      path,
      "differs from what the worker was started with, and cannot change while it runs",
      {
        hint: "restart the worker to change it; until then nothing of this file applies",
        on: "name",
      },
    );
    findings.settle([...path, "address"]);
    findings.settle([...path, "port"]);
  }
}
