import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { parse } from "yaml";
import {
  EXTERNAL_SECRETS,
  type KubeAnswer,
  type KubeCluster,
  type KubeRequest,
} from "../../../src/kubernetes/api.ts";
import { pathOf } from "../../../src/kubernetes/call.ts";
import { connectCluster } from "../../../src/kubernetes/connect.ts";
import { kubeApi } from "../../../src/kubernetes/kube-api.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { systemRandom } from "../../../src/lib/random.ts";

/** What test/kubernetes/run-real has started. */
export const KUBECONFIG = process.env.KEYTURN_TEST_KUBECONFIG ?? "";
const PROGRAMS = process.env.KEYTURN_TEST_KUBE_PROGRAMS ?? "";

/** A user of the kubeconfig, over the wire. */
export function connect(context: "admin" | "nobody"): Promise<KubeCluster> {
  return connectCluster({ context, env: { KUBECONFIG } });
}

/** The calls of an administrator. */
export const admin = kubeApi(() => connect("admin"), { clock: systemClock, random: systemRandom });

let connected: Promise<KubeCluster> | undefined;

/** The same, as they go over the wire. */
export async function sendAsAdmin(request: KubeRequest): Promise<KubeAnswer> {
  connected ??= connect("admin");
  return (await connected).send(request);
}

/** An administrator's call that must succeed; gives the answer's body. */
export async function must(request: KubeRequest): Promise<Record<string, unknown>> {
  const { status, body } = await sendAsAdmin(request);
  if (status >= 300) throw new Error(`${request.method} ${request.path}: ${status} ${JSON.stringify(body)}`);
  return body as Record<string, unknown>;
}

/** Asks again until there is an answer; throws after a minute. */
export async function until<T>(what: string, look: () => Promise<T | undefined | false>): Promise<T> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > deadline) throw new Error(`waited a minute for ${what}`);
    await systemClock.sleep(50);
  }
}

/** A namespace of its own, in which pods may be made. */
export async function newNamespace(): Promise<string> {
  const name = `shop-${randomUUID().slice(0, 8)}`;
  const body = { apiVersion: "v1", kind: "Namespace", metadata: { name } };
  await must({ method: "POST", path: "/api/v1/namespaces", body });
  const path = `/api/v1/namespaces/${name}/serviceaccounts/default`;
  await until("the service account", async () => (await sendAsAdmin({ method: "GET", path })).status === 200);
  return name;
}

/** The definition of ExternalSecret as External Secrets ships it; once for all tests. */
export async function installExternalSecrets(): Promise<void> {
  const body = parse(readFileSync(join(PROGRAMS, "externalsecrets.yaml"), "utf8")) as object;
  const path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
  const { status } = await sendAsAdmin({ method: "POST", path, body });
  if (status !== 201 && status !== 409) throw new Error(`cannot define ExternalSecret: ${status}`);
  const all = pathOf(EXTERNAL_SECRETS, "default");
  await until(
    "ExternalSecrets",
    async () => (await sendAsAdmin({ method: "GET", path: all })).status === 200,
  );
}

/** A service account's token, as its pod has it. */
export async function tokenOf(namespace: string, name: string): Promise<string> {
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`;
  const body = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: {} };
  const { status } = await must({ method: "POST", path, body });
  return (status as { token: string }).token;
}

/** A kubeconfig with one context, whose user has the token. */
export function kubeconfigFor(token: string, namespace: string): string {
  const { clusters } = parse(readFileSync(KUBECONFIG, "utf8"));
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters,
    users: [{ name: "keyturn", user: { token } }],
    contexts: [{ name: "keyturn", context: { cluster: "test", user: "keyturn", namespace } }],
    "current-context": "keyturn",
  });
}

/** Whoever has the token, over the wire, until the test ends. */
export async function connectWith(token: string, namespace: string): Promise<KubeCluster> {
  const folder = await mkdtemp(join(tmpdir(), "keyturn-kubeconfig-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, "kubeconfig");
  await writeFile(file, kubeconfigFor(token, namespace));
  return connectCluster({ context: undefined, env: { KUBECONFIG: file } });
}
