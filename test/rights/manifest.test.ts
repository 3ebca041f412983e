import { describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { rightsManifest } from "../../src/rights/manifest.ts";
import { neededRights } from "../../src/rights/needed.ts";
import { emptyObjects } from "../../src/rights/objects.ts";
import { EVERYTHING, policyOf } from "./policies.ts";

async function manifestOf(yaml: string, account = { namespace: "ops", name: "rotator" }): Promise<string> {
  const policy = await policyOf(yaml);
  const objects = emptyObjects(policy).map(({ object }) => object);
  return rightsManifest(account, neededRights(policy, account.namespace), objects);
}

/** As kubectl reads it. */
const objectsIn = (text: string) => parseAllDocuments(text, { version: "1.1" }).map((one) => one.toJS());

describe("the manifest of a policy's rights", () => {
  it("has an account, a Role and a RoleBinding in each namespace, and the empty objects, once each", async () => {
    const all = objectsIn(await manifestOf(EVERYTHING)).map(
      ({ kind, metadata }) => `${kind} ${metadata.namespace}/${metadata.name}`,
    );
    expect(all).toMatchInlineSnapshot(`
      [
        "ServiceAccount ops/rotator",
        "Role shop/rotator",
        "RoleBinding shop/rotator",
        "Role billing/rotator",
        "RoleBinding billing/rotator",
        "Role search/rotator",
        "RoleBinding search/rotator",
        "Role keyturn/rotator",
        "RoleBinding keyturn/rotator",
        "Secret shop/payments-keyturn",
        "Secret shop/payments",
        "ConfigMap keyturn/rotations",
        "ConfigMap keyturn/rotations-shop-payments-44d46151454d",
        "Lease keyturn/rotations-shop-payments-44d46151454d",
      ]
    `);
  });

  it("binds every Role to the account, wherever that lives", async () => {
    const bindings = objectsIn(await manifestOf(EVERYTHING)).filter(({ kind }) => kind === "RoleBinding");
    expect(bindings).toHaveLength(4);
    for (const { metadata, roleRef, subjects } of bindings) {
      expect(metadata.name).toBe("rotator");
      expect(roleRef).toEqual({ apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "rotator" });
      expect(subjects).toEqual([{ kind: "ServiceAccount", name: "rotator", namespace: "ops" }]);
    }
  });

  it("says above each rule why it is there", async () => {
    const text = await manifestOf(EVERYTHING);
    const lines = text.split("\n");
    const rules = lines.flatMap((line, index) =>
      line.startsWith("  - apiGroups") ? [lines[index - 1]] : [],
    );
    expect(rules.length).toBeGreaterThan(8);
    for (const above of rules) expect(above).toMatch(/^ {2}# \w/);
    expect(text).toContain("RBAC knows no selector");
  });

  it("is the same each time, and names no value of any Secret", async () => {
    const text = await manifestOf(EVERYTHING);
    expect(await manifestOf(EVERYTHING)).toBe(text);
    for (const object of objectsIn(text).filter(({ kind }) => /Secret|ConfigMap|Lease/.test(kind)))
      expect(Object.keys(object).filter((field) => ["data", "stringData", "spec"].includes(field))).toEqual(
        [],
      );
  });

  it("keeps names that YAML 1.1 would take for something else", async () => {
    const odd = EVERYTHING.replaceAll("secret: payments,", 'secret: "0123",').replaceAll(
      "namespace: search",
      'namespace: "on"',
    );
    const objects = objectsIn(await manifestOf(odd, { namespace: "1e3", name: "yes" }));
    const names = objects.flatMap(({ metadata }) => [metadata.name, metadata.namespace]);
    expect(names.filter((name) => typeof name !== "string")).toEqual([]);
    expect(names).toEqual(expect.arrayContaining(["1e3", "yes", "on"]));
    const [role] = objects.filter(({ kind, metadata }) => kind === "Role" && metadata.namespace === "shop");
    expect(role.rules[0].resourceNames).toEqual(["0123"]);
  });
});
