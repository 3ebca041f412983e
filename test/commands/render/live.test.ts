import { expect, it } from "vitest";
import { liveList } from "../../../src/commands/render/live.ts";
import { styler } from "../../../src/commands/render/style.ts";
import type { ConsumerProgress } from "../../../src/rotation/report.ts";

const plain = styler(false);
const START = Date.UTC(2026, 6, 14, 10);
const of = { key: "payments-api", rotation: "r1" };
const consumer = (over: Partial<ConsumerProgress>): ConsumerProgress => ({
  consumer: "payments",
  streak: 1,
  needed: 3,
  confirmed: false,
  waived: false,
  instances: [
    { instance: "10.0.0.7:8080", verdict: "confirms", detail: "serves the new key" },
    { instance: "10.0.0.8:8080", verdict: "holds", detail: "still holds the old key" },
  ],
  ...over,
});

it("shows a line a key, and under it which instances have yet to confirm", () => {
  const list = liveList(["payments-api", "billing"], START, plain);
  list.apply(
    { ...of, type: "phase", phase: "promoted", message: "the store's current is the new key" },
    START + 1_000,
  );
  list.apply(
    { ...of, type: "waiting", until: START + 3_600_000, why: "the consumers to confirm" },
    START + 1_000,
  );
  list.apply({ ...of, type: "consumers", consumers: [consumer({})] }, START + 2_000);
  expect(list.render(START + 12_000)).toBe(
    [
      "• payments-api  promoted  12s  the consumers to confirm (in 59m 48s)",
      "  • payments  1/3 sweeps  1 of 2 instances confirm",
      "      10.0.0.8:8080  holds: still holds the old key",
      "• billing       looking   12s",
    ].join("\n"),
  );
});

it("says briefly of a consumer that it has confirmed or was waived, and why one counts for nothing", () => {
  const list = liveList([], START, plain);
  const consumers = [
    consumer({ confirmed: true }),
    consumer({ consumer: "batch", waived: true }),
    consumer({ consumer: "billing", instances: [], problem: "no instance was found" }),
  ];
  list.apply({ ...of, type: "consumers", consumers }, START);
  expect(list.render(START).split("\n").slice(1)).toEqual([
    "  ✓ payments  confirmed by 2 instances",
    "  - batch  waived",
    "  • billing  1/3 sweeps  no instance was found",
  ]);
});

it("stops the clock of a rotation that has ended and puts its consumers away", () => {
  const list = liveList(["payments-api"], START, plain);
  list.apply({ ...of, type: "consumers", consumers: [consumer({})] }, START);
  list.apply({ ...of, type: "phase", phase: "completed", message: "completed" }, START + 12_000);
  expect(list.render(START + 90_000)).toBe("✓ payments-api  completed  12s  completed");
});

it("says what a held rotation waits for", () => {
  const list = liveList(["payments-api"], START, plain);
  list.apply({ ...of, type: "phase", phase: "promoted", message: "promoted" }, START);
  list.apply(
    { ...of, type: "held", reason: "confirm-timeout", message: "payments did not confirm" },
    START + 2_000,
  );
  expect(list.render(START + 2_000)).toBe("! payments-api  held (promoted)  2s  payments did not confirm");
});

it("shows five instances of a fleet and how many more there are", () => {
  const list = liveList([], START, plain);
  const instances = Array.from({ length: 40 }, (_, i) => ({
    instance: `i${i}`,
    verdict: "other" as const,
    detail: "",
  }));
  list.apply({ ...of, type: "consumers", consumers: [consumer({ instances })] }, START);
  const lines = list.render(START).split("\n");
  expect(lines).toHaveLength(8);
  expect(lines.at(-1)?.trim()).toBe("and 35 more");
});
