import { describe, expect, it } from "vitest";
import { neededRights } from "../../src/rights/needed.ts";
import { CLUSTERS, ELSEWHERE, EVERYTHING, NOTHING, policyOf } from "./policies.ts";

/** `get secrets/payments in shop`, with what may be left out in brackets. */
async function rightsOf(yaml: string, here = "home"): Promise<string[]> {
  return neededRights(await policyOf(yaml), here).map(
    ({ verb, resource, namespace, name, context, optional }) => {
      const object = name === undefined ? resource.plural : `${resource.plural}/${name}`;
      const said = `${verb} ${object} in ${context === undefined ? "" : `${context}:`}${namespace}`;
      return optional ? `(${said})` : said;
    },
  );
}

describe("the rights that a policy needs in Kubernetes", () => {
  it("are to named objects wherever RBAC can name them, and each once", async () => {
    const rights = await rightsOf(EVERYTHING);
    expect(new Set(rights).size).toBe(rights.length);
    expect(rights).toMatchInlineSnapshot(`
      [
        "get secrets/payments in shop",
        "patch secrets/payments in shop",
        "get secrets/payments-keyturn in shop",
        "patch secrets/payments-keyturn in shop",
        "get deployments/payments in shop",
        "patch deployments/payments in shop",
        "list pods in shop",
        "list pods in billing",
        "get statefulsets/search in search",
        "patch statefulsets/search in search",
        "get externalsecrets/search in search",
        "patch externalsecrets/search in search",
        "list pods in search",
        "get secrets/search in search",
        "get configmaps/rotations in keyturn",
        "update configmaps/rotations in keyturn",
        "get configmaps/rotations-shop-payments-44d46151454d in keyturn",
        "update configmaps/rotations-shop-payments-44d46151454d in keyturn",
        "get leases/rotations-shop-payments-44d46151454d in keyturn",
        "update leases/rotations-shop-payments-44d46151454d in keyturn",
        "(create events in keyturn)",
        "(get pods in keyturn)",
      ]
    `);
  });

  it("follow from what is read and written outside when the secrets are kept elsewhere", async () => {
    expect(await rightsOf(ELSEWHERE)).toMatchInlineSnapshot(`
      [
        "get deployments/payments in home",
        "patch deployments/payments in home",
        "get externalsecrets/payments in home",
        "patch externalsecrets/payments in home",
        "list pods in home",
        "get secrets/payments in home",
      ]
    `);
  });

  it("are kept apart by cluster", async () => {
    expect(await rightsOf(CLUSTERS)).toMatchInlineSnapshot(`
      [
        "get secrets/payments in east:shop",
        "patch secrets/payments in east:shop",
        "get secrets/payments-keyturn in east:shop",
        "patch secrets/payments-keyturn in east:shop",
        "get secrets/payments in west:shop",
        "patch secrets/payments in west:shop",
        "get secrets/payments-keyturn in west:shop",
        "patch secrets/payments-keyturn in west:shop",
        "list pods in east:shop",
        "list pods in west:shop",
      ]
    `);
  });

  it("are none for a policy that uses nothing of Kubernetes", async () => {
    expect(await rightsOf(NOTHING)).toEqual([]);
  });
});
