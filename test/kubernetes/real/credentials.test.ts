import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { parse } from "yaml";
import { CONFIG_MAPS, type KubeObject, LEASES, SECRETS } from "../../../src/kubernetes/api.ts";
import { connectCluster } from "../../../src/kubernetes/connect.ts";
import { kubeApi } from "../../../src/kubernetes/kube-api.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { systemRandom } from "../../../src/lib/random.ts";
import { admin, connect, connectWith, KUBECONFIG, must, newNamespace, tokenOf } from "./cluster.ts";

const nobody = kubeApi(() => connect("nobody"));

test("a pod's own credentials are accepted, and name its namespace", async () => {
  const namespace = await newNamespace();
  const serviceAccount = await mkdtemp(join(tmpdir(), "keyturn-credentials-"));
  onTestFinished(() => rm(serviceAccount, { recursive: true }));
  const { cluster } = parse(readFileSync(KUBECONFIG, "utf8")).clusters[0];
  const { hostname, port } = new URL(cluster.server);
  await writeFile(join(serviceAccount, "token"), await tokenOf(namespace, "default"));
  await writeFile(join(serviceAccount, "namespace"), namespace);
  await writeFile(
    join(serviceAccount, "ca.crt"),
    Buffer.from(cluster["certificate-authority-data"], "base64"),
  );
  const env = { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port };
  const pod = kubeApi(() => connectCluster({ context: undefined, env, serviceAccount }));
  expect(await pod.cluster()).toEqual({ namespace, name: "in-cluster" });
  await expect(pod.get(SECRETS, namespace, "payments")).rejects.toMatchObject({
    code: "forbidden",
    message: expect.stringContaining(`system:serviceaccount:${namespace}:default`),
  });
});

test("a token that is none of the cluster's, or no longer, is told apart from a missing right", async () => {
  const stranger = kubeApi(() => connectWith("not-a-token", "default"));
  await expect(stranger.get(SECRETS, "default", "payments")).rejects.toMatchObject({
    code: "unauthorized",
    hint: expect.stringContaining("the token has expired"),
  });
});

test("a token of a service account that is gone is not accepted", async () => {
  const namespace = await newNamespace();
  const token = await tokenOf(namespace, "default");
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/default`;
  await must({ method: "DELETE", path });
  const gone = kubeApi(() => connectWith(token, namespace));
  await expect(gone.get(SECRETS, namespace, "payments")).rejects.toMatchObject({ code: "unauthorized" });
});

test.each([
  ["get", () => nobody.get(SECRETS, "default", "payments"), "secrets/payments"],
  ["list", () => nobody.list(CONFIG_MAPS, "default"), "configmaps"],
  [
    "create",
    () => nobody.create(LEASES, "default", { metadata: { name: "a" } }),
    "leases.coordination.k8s.io/a",
  ],
  ["patch", () => nobody.patch(SECRETS, "default", "payments", {}), "secrets/payments"],
  ["delete", () => nobody.delete(SECRETS, "default", "payments"), "secrets/payments"],
])("a missing right to %s is named", async (verb, call, object) => {
  await expect(call()).rejects.toMatchObject({
    code: "forbidden",
    hint: expect.stringContaining(`allow ${verb} on ${object} in namespace default`),
  });
});

test("everyone may ask what he may do, and is told why", async () => {
  const access = { verb: "get", resource: SECRETS, namespace: "default", name: "payments" } as const;
  expect(await nobody.may(access)).toMatchObject({ allowed: false });
  expect((await admin.may(access)).allowed).toBe(true);
});

test("a namespace that is not there is named, and so is a kind that the cluster does not know", async () => {
  await expect(
    admin.create<KubeObject>(SECRETS, "nowhere", { metadata: { name: "payments" } }),
  ).rejects.toMatchObject({
    code: "absent",
    message: expect.stringContaining("there is no namespace nowhere"),
  });
  const unknown = { group: "example.com", version: "v1", plural: "widgets", kind: "Widget" };
  await expect(admin.get(unknown, "default", "a")).rejects.toMatchObject({ code: "unusable" });
});

test("the API server's clock is compared with ours", async () => {
  const kube = kubeApi(() => connect("admin"), { clock: systemClock, random: systemRandom });
  await kube.get(SECRETS, "default", "payments");
  expect(Math.abs(kube.skewMs() ?? Number.NaN)).toBeLessThan(5_000);
});
