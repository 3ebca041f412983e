import { beforeEach, describe, expect, it } from "vitest";
import { checkRights } from "../../../src/commands/online/rights.ts";
import { CONFIG_MAPS, type KubeApi, type KubeCluster, LEASES } from "../../../src/kubernetes/api.ts";
import { kubeApi } from "../../../src/kubernetes/kube-api.ts";
import { RotationError } from "../../../src/lib/errors.ts";
import { neededRights } from "../../../src/rights/needed.ts";
import { emptyObjects } from "../../../src/rights/objects.ts";
import { refused } from "../../kubernetes/model/faults.ts";
import { KubeModel } from "../../kubernetes/model/kube-model.ts";
import { CLUSTERS, EVERYTHING, policyOf } from "../../rights/policies.ts";

describe("the rights in a cluster, checked online", () => {
  let model: KubeModel;
  let kube: KubeApi;
  beforeEach(() => {
    model = new KubeModel();
    kube = kubeApi(async () => ({ send: model.send, namespace: "keyturn", name: "model" }));
  });

  const check = async (yaml = EVERYTHING, of = (_context?: string) => kube) =>
    await checkRights(neededRights(await policyOf(yaml), "keyturn"), of);
  /** Only what did not pass, as one line each. */
  const bad = (groups: Awaited<ReturnType<typeof check>>) =>
    groups.flatMap(({ checks }) =>
      checks.flatMap(({ result, check, says, hint }) =>
        result === "passed" ? [] : [`${result} ${check}: ${says}${hint ? ` [${hint}]` : ""}`],
      ),
    );

  it("are named object by object; those of the store are left to the store", async () => {
    const [cluster, ...others] = await check();
    expect(others).toEqual([]);
    expect(cluster).toMatchObject({ kind: "cluster", name: "model", answers: true });
    expect(cluster?.checks.map(({ result, says }) => `${result}: ${says}`)).toMatchInlineSnapshot(`
      [
        "passed: answers, and accepts us",
        "passed: may get and patch deployments/payments in namespace shop",
        "passed: may list pods in namespace shop",
        "passed: may list pods in namespace billing",
        "passed: may get and patch statefulsets/search in namespace search",
        "passed: may get and patch externalsecrets/search in namespace search",
        "passed: may list pods in namespace search",
        "passed: may get secrets/search in namespace search",
        "passed: may get and update configmaps/rotations in namespace keyturn",
        "passed: may get and update configmaps/rotations-shop-payments-44d46151454d in namespace keyturn",
        "passed: may get and update leases/rotations-shop-payments-44d46151454d in namespace keyturn",
        "passed: may create events in namespace keyturn",
        "passed: may get pods in namespace keyturn",
      ]
    `);
  });

  it("are asked for without changing anything", async () => {
    await check();
    const writes = model.calls.filter(({ verb, resource }) => {
      return verb !== "get" && resource !== "selfsubjectaccessreviews";
    });
    expect(writes).toEqual([]);
  });

  it("do not suffice where the journal's objects are not there and may not be made", async () => {
    model.deny({ resources: ["configmaps", "leases"], verbs: ["create"] });
    expect(bad(await check()).map((line) => line.replace(/ \[.*/, ""))).toMatchInlineSnapshot(`
      [
        "failed configmaps/rotations: configmaps/rotations is not there, and may not create configmaps in namespace keyturn",
        "failed configmaps/rotations-shop-payments-44d46151454d: configmaps/rotations-shop-payments-44d46151454d is not there, and may not create configmaps in namespace keyturn",
        "failed leases/rotations-shop-payments-44d46151454d: leases/rotations-shop-payments-44d46151454d is not there, and may not create leases in namespace keyturn",
      ]
    `);
    for (const { object } of emptyObjects(await policyOf(EVERYTHING))) {
      const kind = [CONFIG_MAPS, LEASES].find((one) => one.kind === object.kind);
      if (kind) model.put(kind, "keyturn", object);
    }
    expect(bad(await check())).toEqual([]);
  });

  it("that are missing are failed checks, which name verb, object and namespace, and the remedy", async () => {
    model.deny(
      { resources: ["deployments"], resourceNames: ["payments"], verbs: ["patch"] },
      { resources: ["pods"], namespace: "billing", verbs: ["list"] },
      { resources: ["leases"], verbs: ["*"] },
    );
    expect(bad(await check())).toMatchInlineSnapshot(`
      [
        "failed deployments/payments: may not patch deployments/payments in namespace shop [apply what \`rotate init --kubernetes-rbac\` prints, with --namespace and --service-account of who keyturn runs as]",
        "failed pods: may not list pods in namespace billing [apply what \`rotate init --kubernetes-rbac\` prints, with --namespace and --service-account of who keyturn runs as]",
        "failed leases/rotations-shop-payments-44d46151454d: may not get and update leases/rotations-shop-payments-44d46151454d in namespace keyturn [apply what \`rotate init --kubernetes-rbac\` prints, with --namespace and --service-account of who keyturn runs as]",
      ]
    `);
  });

  it("that may be left out are only noted, with what is lost", async () => {
    model.deny({ resources: ["events"], verbs: ["create"] }, { resources: ["pods"], verbs: ["get"] });
    expect(bad(await check())).toMatchInlineSnapshot(`
      [
        "noted events: may not create events in namespace keyturn: it shows what was done as Kubernetes Events; may be left out",
        "noted pods: may not get pods in namespace keyturn: it sees that a pod that held a key's Lease is gone, instead of waiting a while; may be left out",
      ]
    `);
  });

  it("cannot be asked for with an expired token, which is one failed check", async () => {
    model.access.refuse();
    const [cluster] = await check();
    expect(cluster).toMatchObject({
      answers: false,
      checks: [{ check: "cluster", result: "failed", hint: expect.any(String) }],
    });
  });

  it("cannot be asked for without a cluster, which is one failed check; another cluster is looked at all the same", async () => {
    const none = new RotationError("unusable", "no cluster", { hint: "set KUBECONFIG" });
    const nowhere = kubeApi(() => Promise.reject<KubeCluster>(none));
    const groups = await check(CLUSTERS, (context) => (context === "west" ? nowhere : kube));
    expect(groups.map(({ name, answers }) => [name, answers])).toEqual([
      ["model", true],
      ["west", false],
    ]);
    expect(bad(groups)).toEqual(["failed cluster: no cluster [set KUBECONFIG]"]);
  });

  it("are not known where we may not ask for them, and nothing speaks against that", async () => {
    model.once({ resource: "selfsubjectaccessreviews" }, refused(403, "Forbidden"));
    expect(bad(await check())).toEqual(["noted rights: not checked: we may not ask what we may do"]);
  });
});
