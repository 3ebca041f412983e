import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { CHANGES, HOLDS, LOOKS, WAITS } from "../../src/rotation/reasons.ts";
import { reasonsReference } from "./reasons-reference.ts";

const ROOT = join(import.meta.dirname, "../..");

describe("the reference of reasons", () => {
  it("is what the code says now (else: npm run docs)", () => {
    expect(readFileSync(join(ROOT, "docs/logs.md"), "utf8")).toBe(reasonsReference());
  });

  it("has no reason that nothing gives any more", () => {
    const source = readdirSync(join(ROOT, "src/rotation"), { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".ts") && file !== "reasons.ts")
      .map((file) => readFileSync(join(ROOT, "src/rotation", file), "utf8"))
      .join("\n");
    const all = Object.keys({ ...LOOKS, ...CHANGES, ...HOLDS, ...WAITS });
    expect(all.filter((reason) => !source.includes(`"${reason}"`))).toEqual([]);
  });
});
