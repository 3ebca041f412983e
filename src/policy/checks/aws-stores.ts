import type { Findings } from "../findings.ts";
import type { AwsStorePolicy } from "../schema.ts";
import { formatPath, type Path } from "../tree.ts";
import type { KeyView, PolicyView } from "../view.ts";

const NAME = /^[A-Za-z0-9/_+=.@-]{1,512}$/;
const ARN = /^arn:aws[\w-]*:secretsmanager:([a-z0-9-]+):\d{12}:secret:([A-Za-z0-9/_+=.@-]+)$/;
/** What AWS puts behind a secret's name in its ARN. */
const SUFFIX = /-[A-Za-z0-9]{6}$/;

/**
 * Secrets in AWS have names or ARNs that AWS takes, and each is kept through one store under one id,
 * as far as the policy shows it: another profile may be another account.
 */
export function checkAwsStores(view: PolicyView, findings: Findings): void {
  for (const [name, store] of view.stores) {
    if (store?.type === "aws-secrets-manager") checkEndpoint(view, ["stores", name], store, findings);
  }
  const places = new Map<string, { use: string; secret: string; path: Path }>();
  for (const key of view.keys) {
    const { use = "", secret = "" } = key.policy.store ?? {};
    const store = view.stores.get(use);
    if (store?.type !== "aws-secrets-manager") continue;
    const path = [...key.path, "store", "secret"];
    if (!checkSecret(view, key, store, findings)) continue;
    const place = JSON.stringify([store.endpoint ?? regionOf(secret, store), store.profile, nameOf(secret)]);
    const other = places.get(place);
    if (other && (other.use !== use || other.secret !== secret)) {
      findings.fault(
        view.tree,
        path,
        `this is the secret of ${formatPath(other.path.slice(0, 2))} by another name; keys of one secret name it by the same store and the same id`,
      );
    }
    places.set(place, { use, secret, path });
  }
}

function checkEndpoint(view: PolicyView, at: Path, { endpoint }: AwsStorePolicy, findings: Findings): void {
  if (endpoint === undefined) return;
  const { protocol, hostname } = new URL(endpoint);
  if (protocol === "https:" || /^(localhost|127\.[\d.]+|\[::1\])$/.test(hostname)) return;
  findings.note(
    view.tree,
    [...at, "endpoint"],
    `keys travel to ${hostname} without encryption; use https://`,
  );
}

function checkSecret(view: PolicyView, key: KeyView, store: AwsStorePolicy, findings: Findings): boolean {
  const { secret = "", create } = key.policy.store ?? {};
  const path = [...key.path, "store", "secret"];
  const fault = (message: string, hint?: string) => {
    findings.fault(view.tree, path, message, hint === undefined ? {} : { hint });
    return false;
  };
  const found = `found ${JSON.stringify(secret)}`;
  if (!secret.startsWith("arn:")) {
    if (NAME.test(secret)) return true;
    return fault(
      `${found}; accepted in AWS Secrets Manager: a name of at most 512 letters, digits and /_+=.@-, or an ARN`,
    );
  }
  const region = ARN.exec(secret)?.[1];
  if (region === undefined)
    return fault(`${found}; accepted: arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME-SUFFIX`);
  if (store.region !== undefined && store.region !== region)
    return fault(
      `this secret is in ${region}, and the store in ${store.region}`,
      `name a store with region: ${region}`,
    );
  if (create)
    return fault(`${found}: create is true, and an ARN cannot be created`, "give the secret's name");
  return true;
}

function regionOf(secret: string, store: AwsStorePolicy): string {
  return ARN.exec(secret)?.[1] ?? store.region ?? "";
}

function nameOf(secret: string): string {
  const name = ARN.exec(secret)?.[2];
  return name === undefined ? secret : name.replace(SUFFIX, "");
}
