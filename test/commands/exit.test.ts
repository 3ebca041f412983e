import { expect, it } from "vitest";
import { EXIT, exitOfError, exitOfResults } from "../../src/commands/exit.ts";
import type { KeyResult } from "../../src/rotation/report.ts";

const results = (...outcomes: KeyResult["outcome"][]): KeyResult[] =>
  outcomes.map((outcome) => ({ key: outcome, outcome, message: "" }));

it("exits with 0 when everything asked for is done", () => {
  expect(exitOfResults(results("idle", "completed", "deleted"))).toBe(0);
  expect(exitOfResults([])).toBe(0);
});

it("exits with 3 when work remains, and with 1 when anything failed beside it", () => {
  expect(exitOfResults(results("completed", "waiting"))).toBe(3);
  for (const outcome of ["failed", "held", "reverted", "blocked"] as const) {
    expect(exitOfResults(results("waiting", outcome))).toBe(1);
  }
});

it("counts a reverted rotation as done only where that was asked for", () => {
  expect(exitOfResults(results("reverted"), { asked: "reverted" })).toBe(EXIT.done);
  expect(exitOfResults(results("held"), { asked: "reverted" })).toBe(EXIT.failed);
});

it("keeps 2 for what was refused before anything was called", () => {
  expect([exitOfError("usage"), exitOfError("policy-invalid")]).toEqual([2, 2]);
  expect([exitOfError("unauthorized"), exitOfError("unclear"), exitOfError("internal")]).toEqual([1, 1, 1]);
});
