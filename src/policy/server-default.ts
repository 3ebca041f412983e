import type { Findings } from "./findings.ts";
import type { Policy } from "./schema.ts";
import { find, type Tree } from "./tree.ts";

/** An address of this machine and a port, as in `0.0.0.0:8080` or `[::]:8080`; undefined for any other text. */
export function parseServer(text: string): { address: string; port: number } | undefined {
  const [, bracketed, plain, digits] = /^(?:\[([\d:a-f.]+)\]|([\w.-]+)):(\d{1,5})$/i.exec(text) ?? [];
  const address = bracketed ?? plain;
  const port = Number(digits);
  return address === undefined || port > 65_535 ? undefined : { address, port };
}

/**
 * The policy with the worker's server as `KEYTURN_SERVER` has it, which the image sets, in what
 * `tree`, the policy as written, leaves out. Empty stands for none; what cannot be read is a fault.
 */
export function withServerDefault(
  policy: Policy,
  tree: Tree,
  env: Readonly<Record<string, string | undefined>>,
  findings: Findings,
): Policy {
  const { KEYTURN_SERVER: text = "" } = env;
  if (text === "") return policy;
  const from = parseServer(text);
  if (from === undefined) {
    findings.fault(tree, ["server"], `found ${JSON.stringify(text)} in KEYTURN_SERVER`, {
      hint: "set it to an address and a port like 0.0.0.0:8080 or [::]:8080, or to nothing",
    });
    return policy;
  }
  const { server } = policy;
  const written = (field: string) => find(tree, ["server", field]) !== undefined;
  return {
    ...policy,
    server: {
      ...server,
      address: server && written("address") ? server.address : from.address,
      port: server && written("port") ? server.port : from.port,
    },
  };
}
