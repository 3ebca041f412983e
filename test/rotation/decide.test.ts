import { describe, expect, test } from "vitest";
import {
  emptyDocument,
  type IssuedRecord,
  type PolicySnapshot,
  type RotationRecord,
} from "../../src/journal/document.ts";
import { RotationError } from "../../src/lib/errors.ts";
import { decide } from "../../src/rotation/decide.ts";
import { placesOf } from "../../src/rotation/targets.ts";
import type { World } from "../../src/rotation/world.ts";
import { DAY, FIELD, HOUR, policyOf } from "./scenario.ts";

const NOW = Date.parse("2027-03-10T12:00:00Z");
const OWNER = { installation: "test", journal: "j" };
const POLICY = policyOf([
  {
    name: "payments-api",
    provider: "openrouter",
    schedule: { every: "30d" },
    store: { use: "local", secret: "payments", field: FIELD },
    consumers: "none",
    retire: { after: "1h" },
  },
]);
const SNAPSHOT = placesOf(POLICY)[0]?.snapshot as PolicySnapshot;

const issued = (hash: string, more: Partial<IssuedRecord> = {}): IssuedRecord => ({
  hash,
  field: FIELD,
  provider: "openrouter",
  origin: "issued",
  fingerprint: `sha256:${hash}`,
  version: `v-${hash}`,
  ...more,
});

/** A world in which key k1 is current and nothing is due. */
function world(change: (world: World) => void = () => {}): World {
  const document = emptyDocument();
  document.keys[FIELD] = {
    name: "payments-api",
    provider: "openrouter",
    current: { hash: "k1", fingerprint: "sha256:k1", version: "v-k1", since: NOW - DAY },
    drift: { hash: "k1", at: NOW, differs: [] },
  };
  document.issued.k1 = issued("k1");
  const made: World = {
    now: NOW,
    target: "local/payments",
    owner: OWNER,
    document,
    policies: { [FIELD]: SNAPSHOT },
    requests: [],
    mayStart: true,
    fraction: 0,
    store: {},
    issued: {},
    accepted: {},
    attachments: {},
    listed: {},
    evidence: {},
    asked: new Map(),
    failed: {},
    skewMs: {},
    heard: {},
  };
  change(made);
  return made;
}

const rotation = (more: Partial<RotationRecord> = {}): RotationRecord => ({
  id: "r1",
  kind: "rotate",
  field: FIELD,
  phase: "promoted",
  startedAt: NOW - HOUR,
  phaseAt: NOW - HOUR,
  actor: "schedule",
  reason: "due by the schedule",
  policy: SNAPSHOT,
  old: { hash: "k0", fingerprint: "sha256:k0", version: "v-k0" },
  new: { hash: "k1", label: "", fingerprint: "sha256:k1", version: "v-k1", base: "b0" },
  ...more,
});

const request = (kind: "rotate" | "approve" | "rollback" | "revoke", id = kind) => ({
  id,
  target: "local/payments",
  field: FIELD,
  kind,
  actor: "ana",
  at: NOW,
});

function reasonOf(given: World): string {
  const decision = decide(given);
  if ("step" in decision) return decision.step.reason;
  return "wait" in decision
    ? `wait ${decision.wait.reason}`
    : "parked" in decision
      ? `parked ${decision.parked.reason}`
      : "idle";
}

describe("the order of precedence", () => {
  const parts: [string, (world: World) => void][] = [
    [
      "clock-went-back",
      (given) => {
        (given.document.keys[FIELD]?.current as { since: number }).since = NOW + HOUR;
        given.issued = { k1: { value: undefined, at: NOW } };
      },
    ],
    [
      "revoke",
      (given) => {
        given.requests = [request("revoke")];
      },
    ],
    [
      "current-disabled",
      ({ document }) => {
        (document.issued.k1 as IssuedRecord).disable = { sent: NOW - 1 };
      },
    ],
    [
      "retire-delete",
      ({ document }) => {
        document.issued.k9 = issued("k9", {
          distrusted: true,
          retire: { since: NOW, dueAt: NOW, keepFor: 0, why: "revoked", immediately: true },
        });
      },
    ],
    [
      "look-store",
      ({ document }) => {
        document.rotation = rotation();
      },
    ],
  ];
  const after: [string, (world: World) => void][] = [
    [
      "look-key",
      ({ document }) => {
        document.issued.k8 = issued("k8", {
          retire: { since: NOW - DAY, dueAt: NOW - 1, keepFor: 1, why: "replaced" },
        });
      },
    ],
    [
      "look-list",
      ({ document }) => {
        document.walk = { since: NOW, field: FIELD };
      },
    ],
    // The daily comparison with the store comes last before what is due.
    [
      "look-store",
      ({ document }) => {
        for (const key of Object.values(document.keys)) delete key.drift;
      },
    ],
    ["scheduled", () => {}],
  ];

  test.each(parts.map((_, index) => index))(
    "request, safety, rotation: number %i comes before what follows it",
    (first) => {
      const given = world((one) => {
        for (const [, apply] of parts.slice(first)) apply(one);
      });
      expect(reasonOf(given)).toBe(parts[first]?.[0]);
    },
  );

  test.each(after.map((_, index) => index))(
    "retirement, lost keys, due: number %i comes before what follows it",
    (first) => {
      const given = world((one) => {
        for (const [, apply] of after.slice(first)) apply(one);
      });
      expect(reasonOf(given)).toBe(after[first]?.[0]);
    },
  );

  test("an open rotation comes before retirements, lost keys and what is due", () => {
    const given = world((one) => {
      one.document.rotation = rotation();
      for (const [, apply] of after) apply(one);
    });
    expect(reasonOf(given)).toBe("look-store");
  });
});

describe("waiting", () => {
  const failure = { error: new RotationError("unclear", "no answer"), at: NOW, count: 1, until: NOW + 5_000 };

  test("a step that failed yields to what comes after it, until its time has come", () => {
    const given = world((one) => {
      one.document.issued.k8 = issued("k8", {
        retire: { since: NOW - DAY, dueAt: NOW - 1, keepFor: 1, why: "replaced" },
      });
      one.failed = { [`issued:${FIELD}:k8`]: failure };
    });
    expect(reasonOf(given)).toBe("scheduled");
    expect(reasonOf({ ...given, now: failure.until })).toBe("look-key");
  });

  test("of several waits the earliest is waited for", () => {
    const given = world((one) => {
      for (const [hash, hours] of [
        ["k7", 5],
        ["k8", 3],
        ["k9", 9],
      ] as const)
        one.document.issued[hash] = issued(hash, {
          disable: { sent: NOW - DAY, acknowledged: NOW - DAY },
          retire: { since: NOW - DAY, dueAt: NOW + hours * HOUR, keepFor: 2 * DAY, why: "replaced" },
        });
      one.mayStart = false;
    });
    expect(decide(given)).toMatchObject({ wait: { reason: "soak", until: NOW + 3 * HOUR } });
  });

  test("with nothing to do it is idle", () => {
    expect(reasonOf(world((one) => (one.mayStart = false)))).toBe("idle");
  });
});

describe("requests", () => {
  test.each([
    ["approve", undefined, "refused"],
    ["approve", {}, "refused"],
    ["approve", { hold: { reason: "consumers-unconfirmed", message: "", since: NOW } }, "approved"],
    ["approve", { hold: { reason: "foreign-current", message: "", since: NOW } }, "approved-foreign"],
    ["rollback", undefined, "refused"],
    ["rollback", {}, "rollback"],
    ["rollback", { phase: "staged" }, "rollback-early"],
    ["rollback", { phase: "reverting" }, "answered"],
    ["rollback", { kind: "revoke" }, "refused"],
    ["rollback", { kind: "provision", old: undefined }, "refused"],
    ["rotate", {}, "answered"],
    ["rotate", { hold: { reason: "consumers-unconfirmed", message: "", since: NOW } }, "released"],
    ["revoke", {}, "revoke"],
  ] as const)("%s with a rotation like %o: %s", (kind, open, reason) => {
    const given = world((one) => {
      one.document.issued.k0 = issued("k0");
      one.requests = [request(kind)];
      if (open !== undefined) one.document.rotation = rotation(open as Partial<RotationRecord>);
    });
    expect(reasonOf(given)).toBe(reason);
  });

  test.each([
    ["an unacknowledged disable", { disable: { sent: NOW } }],
    ["one that was enabled again since", { unsure: true }],
    ["an unacknowledged delete", { delete: { sent: NOW } }],
    ["an expiry that is near", { createdAt: NOW - 89 * DAY, expiresAt: NOW + DAY }],
  ])("rollback to a key with %s mints a new one instead", (_, state) => {
    const open = world((one) => {
      one.document.issued.k0 = issued("k0", state);
      one.requests = [request("rollback")];
      one.document.rotation = rotation();
    });
    expect(reasonOf(open)).toBe("rollback-mints");
    const ended = world((one) => {
      one.document.issued.k0 = issued("k0", {
        ...state,
        mayBeCurrent: true,
        retire: { since: NOW, dueAt: NOW + DAY, keepFor: DAY, why: "replaced" },
      });
      one.requests = [request("rollback")];
    });
    expect(reasonOf(ended)).toBe("rollback-mints");
  });
});

test("the same world gives the same decision, and is not changed by it", () => {
  const given = world((one) => {
    one.document.rotation = rotation();
    one.requests = [request("rollback")];
  });
  const before = structuredClone({ ...given, failed: {} });
  expect(decide(given)).toEqual(decide(given));
  expect({ ...given, failed: {} }).toEqual(before);
});
