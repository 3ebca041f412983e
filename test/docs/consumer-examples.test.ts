import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { consumersGuide } from "./consumer-examples.ts";

it("the consumer guide shows the very code that is run in CI (else: npm run docs)", () => {
  const page = readFileSync(new URL("../../docs/consumers.md", import.meta.url), "utf8");
  expect(page.match(/^<!-- examples\//gm)).toHaveLength(4);
  expect(page).toBe(consumersGuide());
});
