import { expect, it } from "vitest";
import {
  type ARouterDialect,
  DEFAULT_DIALECT,
  DIALECT_HELP,
  parseDialect,
} from "../../src/sandbox/arouter-dialect.ts";

const shown = DIALECT_HELP.split("\n")
  .slice(1)
  .map((line) => line.trim().split(/,?\s+/))
  .map(([knob = "", ...values]) => ({ knob: knob as keyof ARouterDialect, values }));

it("explains every knob, its default first", () => {
  expect(Object.fromEntries(shown.map(({ knob, values }) => [knob, values[0]]))).toEqual(
    Object.fromEntries(Object.entries(DEFAULT_DIALECT).map(([knob, value]) => [knob, String(value)])),
  );
});

it("takes every value that it explains", () => {
  for (const { knob, values } of shown.filter(({ knob }) => knob !== "largestPage"))
    for (const value of values) expect(parseDialect([`${knob}=${value}`])).toEqual({ [knob]: value });
  expect(parseDialect(["largestPage=3", "created=flat", "created=enveloped"])).toEqual({
    largestPage: 3,
    created: "enveloped",
  });
});
