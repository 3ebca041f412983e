import type { Findings } from "../findings.ts";
import { policySchema } from "../schema.ts";
import { child, toValue } from "../tree.ts";
import type { PolicyView } from "../view.ts";

const LOOPBACK = /^(127\.0\.0\.1|::1|localhost)$/;

/** A server that others can reach, and whose status page none of them can see. */
export function checkServer(view: PolicyView, findings: Findings): void {
  const written = child(view.tree, "server");
  const { data: server } = policySchema.shape.server.safeParse(written && toValue(written));
  if (server === undefined || server.token !== undefined || LOOPBACK.test(server.address)) return;
  findings.note(
    view.tree,
    ["server"],
    "without server.token the status page is refused from elsewhere: it is seen by `kubectl port-forward` and on this machine; /healthz, /readyz and /metrics are open to all who reach this address",
  );
}
