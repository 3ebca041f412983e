import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DEPLOYMENTS, type KubeObject, SECRETS } from "../../src/kubernetes/api.ts";
import { KubeModel } from "../kubernetes/model/kube-model.ts";
import { kubeconfigOf, type ServedModel, serveModel } from "../kubernetes/model/serve.ts";
import { Workloads } from "../kubernetes/model/workloads.ts";
import { session } from "./transcript.ts";
import { currentKey, startWorld, type World } from "./world.ts";

const ONLINE = ["validate", "--online"];

describe("validate --online of a policy on Kubernetes", () => {
  let world: World;
  let model: KubeModel;
  let served: ServedModel;
  beforeAll(async () => {
    world = await startWorld({
      policy: (yaml) =>
        yaml
          .replace(
            /^stores:[\s\S]*?^keys:/m,
            `stores:
  shop: { type: kubernetes, namespace: shop }
journal: { type: kubernetes, namespace: keyturn, name: rotations }
keys:`,
          )
          .replace("use: local", "use: shop")
          .replace(
            /consumers:[\s\S]*?confirm:/,
            `consumers:
      - name: payments
        reload: { kubernetes: { restart: deployment/payments } }
        probe: { kubernetes: { rollout: deployment/payments } }
    confirm:`,
          ),
    });
    model = new KubeModel();
    served = await serveModel(model);
    const data = { OPENROUTER_API_KEY: Buffer.from(currentKey(world)).toString("base64") };
    model.put(SECRETS, "shop", { metadata: { name: "payments-api" }, data } as KubeObject);
    const workloads = new Workloads(model, "shop");
    workloads.create(DEPLOYMENTS, "payments", { replicas: 1, secret: "payments-api" });
    workloads.settle(DEPLOYMENTS, "payments");
  });
  afterAll(async () => {
    await served.close();
    await world[Symbol.asyncDispose]();
  });

  const online = async (options: Parameters<typeof kubeconfigOf>[0] = { server: served.url }) => {
    const KUBECONFIG = join(world.sandbox.folder, "kubeconfig");
    await writeFile(KUBECONFIG, kubeconfigOf(options));
    const shown = await session(world, ONLINE, { env: { KUBECONFIG } });
    return shown
      .replaceAll(served.url, "CLUSTER")
      .replace(/^ .. consumer .*\n/gm, "")
      .replace(/within \d+s of/g, "within 1s of");
  };

  test("shows that nothing is missing, and changes nothing", async () => {
    model.calls.length = 0;
    expect(await online()).toMatchInlineSnapshot(`
      "$ rotate validate --online
      DIR/rotation.yaml:20:30  warning: keys[0].consumers[0].probe.kubernetes: a finished rollout proves that every pod was created after its Secret had the new key, not that it uses that key; one that has the key from elsewhere (another Secret, a file, its image) goes unseen
      cluster test
        ✓ cluster: answers, and accepts us
        ✓ deployments/payments: may get and patch deployments/payments in namespace shop
        ✓ pods: may list pods in namespace shop
        ✓ configmaps/rotations: may get and update configmaps/rotations in namespace keyturn
        ✓ configmaps/rotations-shop-payments-api-8e9c54727ef4: may get and update configmaps/rotations-shop-payments-api-8e9c54727ef4 in namespace keyturn
        ✓ leases/rotations-shop-payments-api-8e9c54727ef4: may get and update leases/rotations-shop-payments-api-8e9c54727ef4 in namespace keyturn
        ✓ events: may create events in namespace keyturn
        ✓ pods: may get pods in namespace keyturn
      provider openrouter
        ✓ management key: environment variable OPENROUTER_MANAGEMENT_KEY is accepted and lists 1 key
        – rights: it is a management key, as it lists keys; that it may create, change and delete them shows only when it does
        ✓ clock: within 1s of the provider's
      store shop
        ✓ cluster: test, namespace shop
        ✓ get secrets/payments-api: allowed
        ✓ patch secrets/payments-api: allowed
        ✓ get secrets/payments-api-keyturn: allowed
        ✓ patch secrets/payments-api-keyturn: allowed
        ✓ create secrets: allowed
        – owner: payments-api bears no stamp yet; the first pass puts ours on it
        ✓ current: payments-api (OPENROUTER_API_KEY) holds a value that the first pass adopts, if it can be proved which key it is
      journal keyturn/rotations
        ✓ journal: opens, and takes a write
      key payments-api
        ✓ current key: accepted by openrouter (LABEL)
      nothing speaks against a rotation
      exit 0"
    `);
    const writes = model.calls.filter(({ verb, resource }) => {
      return !["get", "list"].includes(verb) && resource !== "selfsubjectaccessreviews";
    });
    expect(writes).toEqual([]);
  });

  test("names each right that is missing, once, though the journal cannot be opened without", async () => {
    model.deny({ resources: ["configmaps"], verbs: ["*"] }, { resources: ["deployments"], verbs: ["patch"] });
    expect(await online()).toMatchInlineSnapshot(`
      "$ rotate validate --online
      DIR/rotation.yaml:20:30  warning: keys[0].consumers[0].probe.kubernetes: a finished rollout proves that every pod was created after its Secret had the new key, not that it uses that key; one that has the key from elsewhere (another Secret, a file, its image) goes unseen
      cluster test
        ✓ cluster: answers, and accepts us
        ✗ deployments/payments: may not patch deployments/payments in namespace shop
            apply what \`rotate init --kubernetes-rbac\` prints, with --namespace and --service-account of who keyturn runs as
        ✓ pods: may list pods in namespace shop
        ✗ configmaps/rotations: may not get and update configmaps/rotations in namespace keyturn
            apply what \`rotate init --kubernetes-rbac\` prints, with --namespace and --service-account of who keyturn runs as
        ✗ configmaps/rotations-shop-payments-api-8e9c54727ef4: may not get and update configmaps/rotations-shop-payments-api-8e9c54727ef4 in namespace keyturn
            apply what \`rotate init --kubernetes-rbac\` prints, with --namespace and --service-account of who keyturn runs as
        ✓ leases/rotations-shop-payments-api-8e9c54727ef4: may get and update leases/rotations-shop-payments-api-8e9c54727ef4 in namespace keyturn
        ✓ events: may create events in namespace keyturn
        ✓ pods: may get pods in namespace keyturn
        – journal: not opened; nothing else was looked at
      3 of 9 checks failed
      exit 1"
    `);
    model.access.lift();
  });

  test("says of an expired token, and of no cluster, one thing", async () => {
    expect(await online({ server: served.url, token: "expired" })).toMatchInlineSnapshot(`
      "$ rotate validate --online
      DIR/rotation.yaml:20:30  warning: keys[0].consumers[0].probe.kubernetes: a finished rollout proves that every pod was created after its Secret had the new key, not that it uses that key; one that has the key from elsewhere (another Secret, a file, its image) goes unseen
      cluster test
        ✗ cluster: cannot create selfsubjectaccessreviews in namespace shop: the API server does not accept our credentials (401)
            the token has expired, or is of another cluster: log in again, or check the pod's service account
        – journal: not opened; nothing else was looked at
      1 of 2 checks failed
      exit 1"
    `);
    expect(await online({ server: "http://127.0.0.1:9" })).toMatchInlineSnapshot(`
      "$ rotate validate --online
      DIR/rotation.yaml:20:30  warning: keys[0].consumers[0].probe.kubernetes: a finished rollout proves that every pod was created after its Secret had the new key, not that it uses that key; one that has the key from elsewhere (another Secret, a file, its image) goes unseen
      cluster test
        ✗ cluster: cannot create selfsubjectaccessreviews in namespace shop: no connection to 127.0.0.1:9 (ECONNREFUSED)
            check that the cluster of context test is up and can be reached from here
        – journal: not opened; nothing else was looked at
      1 of 2 checks failed
      exit 1"
    `);
  });
});
