import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadPolicy } from "../../src/policy/load.ts";
import { EXAMPLES, policyReference, policySections } from "./policy-reference.ts";

const fields = policySections().flatMap((section) => section.fields);

describe("the policy reference", () => {
  it("is what the schema says now (else: npm run docs)", () => {
    const page = join(import.meta.dirname, "../../docs/policy.md");
    expect(readFileSync(page, "utf8")).toBe(policyReference());
  });

  it("says of every field what it does", () => {
    expect(fields.filter(({ description }) => !description).map(({ path }) => path)).toEqual([]);
  });

  it("shows every field in an example", () => {
    expect(fields.filter(({ example }) => example === undefined).map(({ path }) => path)).toEqual([]);
  });

  it.each(EXAMPLES)("takes its examples from a policy that is valid: %s", async (file) => {
    const { policy } = await loadPolicy(file, {});
    expect(policy.keys.length).toBeGreaterThan(0);
  });
});
