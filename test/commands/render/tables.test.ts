import { expect, it } from "vitest";
import { statusJson } from "../../../src/commands/json.ts";
import { renderPlan } from "../../../src/commands/render/plan.ts";
import { renderResult, summary } from "../../../src/commands/render/results.ts";
import { renderStatus } from "../../../src/commands/render/status.ts";
import { styler, visibleWidth } from "../../../src/commands/render/style.ts";
import type { KeyResult, KeyStatus } from "../../../src/rotation/report.ts";

const plain = styler(false);
const NOW = Date.UTC(2026, 6, 14, 10);
const HOUR = 3_600_000;
const hash = (letter: string) => letter.repeat(64);

const held: KeyStatus = {
  key: "payments-api",
  target: "local/payments",
  provider: "openrouter",
  state: "held",
  current: { hash: hash("a"), label: "sk-or-v1-3f2...a1b", fingerprint: "sha256:00", since: NOW - 50 * HOUR },
  rotation: {
    id: "r2",
    kind: "rotate",
    phase: "promoted",
    held: { reason: "confirm-timeout", message: "payments did not confirm in 1h", since: NOW - HOUR },
    direction: "forward",
    startedAt: NOW - 2 * HOUR,
    phaseAt: NOW - 2 * HOUR,
    actor: "schedule",
    reason: "due",
  },
  drift: [],
  retiring: [{ hash: hash("b"), disabled: true, deleteAt: NOW + 24 * HOUR, why: "replaced" }],
};
const fresh: KeyStatus = {
  key: "batch",
  target: "local/batch",
  provider: "openrouter",
  state: "ok",
  next: { at: NOW + 76 * HOUR, why: "expiry" },
  drift: [],
  retiring: [],
};

it("lines the status up in columns and says under a key what it waits for", () => {
  expect(renderStatus([held, fresh], NOW, plain)).toBe(
    [
      "KEY           STATE             AGE    CURRENT                           LAST  NEXT",
      "payments-api  held at promoted  2d 2h  aaaaaaaaaaaa… sk-or-v1-3f2...a1b  -     -",
      "  held 1h ago: payments did not confirm in 1h",
      "  old key bbbbbbbbbbbb…: disabled, to be deleted in 1d (2026-07-15T10:00:00Z)",
      "batch         ok                -      -                                 -     in 3d 4h (2026-07-17T14:00:00Z), expiry",
    ].join("\n"),
  );
});

it("keeps the columns aligned in colour", () => {
  const lines = (color: boolean) => renderStatus([held, fresh], NOW, styler(color)).split("\n");
  expect(lines(true).join("")).toContain("\u001b[");
  expect(lines(true).map(visibleWidth)).toEqual(lines(false).map(visibleWidth));
});

it("gives instants as ISO 8601 and hashes whole in JSON", () => {
  expect(JSON.parse(JSON.stringify(statusJson(held)))).toMatchObject({
    key: "payments-api",
    current: { hash: hash("a"), since: "2026-07-12T08:00:00.000Z" },
    rotation: { held: { since: "2026-07-14T09:00:00.000Z" }, startedAt: "2026-07-14T08:00:00.000Z" },
    drift: [],
    retiring: [{ deleteAt: "2026-07-15T10:00:00.000Z" }],
  });
});

it("numbers the steps of a plan and adds what it does not prove", () => {
  const plan = renderPlan(
    [
      {
        key: "payments-api",
        target: "local/payments",
        verb: "PROVISION",
        why: "the secret has no current version",
        steps: [{ reason: "absent", action: "create a key" }],
        warnings: ["one load-balanced address: not every instance is asked"],
      },
    ],
    plain,
  );
  expect(plan).toBe(
    [
      "payments-api  PROVISION  the secret has no current version",
      "  1. create a key  [absent]",
      "  warning: one load-balanced address: not every instance is asked",
    ].join("\n"),
  );
});

const completed: KeyResult = {
  key: "payments-api",
  outcome: "completed",
  message: "completed",
  oldHash: hash("b"),
  newHash: hash("a"),
  tookMs: 12_000,
  deleteAt: NOW + 24 * HOUR,
};

it("says of a completed rotation when the old key will be deleted and what must run then", () => {
  expect(renderResult(completed, plain)).toBe(
    'payments-api: completed in 12s; new key aaaaaaaaaaaa… is current; old key bbbbbbbbbbbb… will be deleted at 2026-07-15T10:00:00Z: keep "rotate worker" or "rotate once" running until then',
  );
  expect(renderResult({ ...completed, outcome: "deleted", deleteAt: undefined }, plain)).toBe(
    "payments-api: completed in 12s; new key aaaaaaaaaaaa… is current; old key bbbbbbbbbbbb… deleted",
  );
});

it("says of a failed one why, and what to do", () => {
  const failed: KeyResult = {
    key: "batch",
    outcome: "failed",
    message: "the provider refused",
    hint: "check it",
  };
  expect(renderResult(failed, plain)).toBe("batch: failed: the provider refused\n  check it");
  expect(summary([completed, failed, { key: "c", outcome: "idle", message: "" }])).toBe(
    "1 completed, 1 failed, 1 with nothing to do",
  );
});
