import { expect, test } from "vitest";
import { faults, notes, policyText } from "./setup.ts";

const scheduled = (schedule: string, key: string) =>
  notes(policyText({ without: ["schedule"], key: `schedule: ${schedule}\n${key}` }));

const probing = (http: string) =>
  notes(policyText({ without: ["consumers"], key: `consumers: [{ name: api, probe: { ${http} } }]` }));

test("a policy that holds no surprise has no warnings", async () => {
  expect(await notes(policyText())).toEqual([]);
});

test("a limit that starts afresh with each key is added up", async () => {
  expect(
    await notes(policyText({ key: "settings: { limit: 150, limitReset: monthly }" })),
  ).toMatchInlineSnapshot(`
    [
      "13:24  keys[0].settings.limit: each new key starts its limit afresh: rotated every 7d, this one may spend up to 5 × 150 = 750 a month",
    ]
  `);
  expect(
    await scheduled("{ every: 6h }", "settings: { limit: 10, limitReset: daily }"),
  ).toMatchInlineSnapshot(`
    [
      "13:24  keys[0].settings.limit: each new key starts its limit afresh: rotated every 6h, this one may spend up to 4 × 10 = 40 a day",
    ]
  `);
  expect(await scheduled('"0 0 1 */3 *"', "settings: { limit: 150, limitReset: monthly }")).toEqual([]);
});

test("clock changes do not make a daily schedule look shorter than a day", async () => {
  const key =
    "timezone: Europe/Berlin\nsettings: { limit: 5, limitReset: daily }\nretire: { keepDisabledFor: 24h }";
  expect(await scheduled('"0 12 * * *"', key)).toEqual([]);
});

test("a reset without a limit has no effect, and it is said", async () => {
  expect(
    await notes(policyText({ key: "settings: { limit: null, limitReset: weekly }" })),
  ).toMatchInlineSnapshot(`
    [
      "13:42  keys[0].settings.limitReset: this has no effect without a limit",
    ]
  `);
});

test("waits that are longer than the period are named with both figures", async () => {
  const text = policyText({ key: "retire: { after: 8d, keepDisabledFor: 30d }\nconfirm: { timeout: 9d }" });
  expect(await notes(text)).toMatchInlineSnapshot(`
    [
      "13:22  keys[0].retire.after: 8d is longer than the schedule's period, 7d: the next rotation is due before the old key has gone",
      "13:43  keys[0].retire.keepDisabledFor: 30d is longer than the schedule's period, 7d: up to 5 disabled keys are kept at a time",
      "14:25  keys[0].confirm.timeout: 9d is longer than the schedule's period, 7d: the next rotation waits for consumers that do not confirm",
    ]
  `);
});

test("an expiry close to the schedule is named", async () => {
  expect(await scheduled('"0 0 1 * *"', "settings: { expiresAfter: 45d }")).toMatchInlineSnapshot(`
    [
      "13:31  keys[0].settings.expiresAfter: expiry comes close to the schedule: up to 31d lie between two scheduled rotations, and a key is due by expiry after 30d (45d less a third of it)",
    ]
  `);
  expect(
    await scheduled("{ every: 30d }", "spread: 2h\nsettings: { expiresAfter: 45d }"),
  ).toMatchInlineSnapshot(`
    [
      "14:31  keys[0].settings.expiresAfter: expiry comes close to the schedule: up to 30d 2h lie between two scheduled rotations, and a key is due by expiry after 30d (45d less a third of it)",
    ]
  `);
  expect(await scheduled("{ every: 30d }", "settings: { expiresAfter: 60d }")).toEqual([]);
});

test("a renewal too late for the overlap is named", async () => {
  const text = "settings: { expiresAfter: 90d }\nrenewBefore: 30m\nretire: { after: 1h }";
  expect(await scheduled("none", text)).toMatchInlineSnapshot(`
    [
      "13:31  keys[0].settings.expiresAfter: a rotation started by expiry has 30m left, and confirm.timeout with retire.after may take 2h: the old key may expire while it is still in use",
    ]
  `);
});

test("one expiry for all replacements is named", async () => {
  expect(
    await notes(policyText({ key: "settings: { expiresAt: 2026-06-10T12:00:00Z }" })),
  ).toMatchInlineSnapshot(`
    [
      "13:28  keys[0].settings.expiresAt: every replacement expires at this same instant, in 100d: rotations come ever closer before it, and none outlasts it. expiresAfter moves along",
    ]
  `);
});

test("a key that nothing ever makes due is named", async () => {
  expect(await scheduled("none", "")).toMatchInlineSnapshot(`
    [
      "12:15  keys[0].schedule: without a schedule and without an expiry this key is rotated only by hand (rotate --now)",
    ]
  `);
});

test("one URL by name is weak; addresses, lists and counted instances are not", async () => {
  expect(await probing("http: http://payments:8080/healthz")).toMatchInlineSnapshot(`
    [
      "12:45  keys[0].consumers[0].probe.http: one URL by name may stand for several instances, and an answer proves only the one that gave it; say resolve: all, a list of URLs, or instances",
    ]
  `);
  for (const strong of [
    "http: http://payments:8080/healthz, resolve: all",
    "http: http://payments:8080/healthz, instances: 2",
    "http: [http://payments-0:8080/, http://payments-1:8080/]",
    "http: http://10.0.0.7/",
    "http: http://localhost:8080/",
    "http: 'http://[::1]:8080/'",
    "http: { url: { env: PROBE_URL } }",
  ]) {
    expect(await probing(strong), strong).toEqual([]);
  }
});

test("a notification is posted with its own body, its secret stands elsewhere, and a sign of life is no message for people", async () => {
  const at = "https://example.com/hook";
  expect(
    await faults(policyText({ key: `notify: [{ http: { url: ${at}, method: GET, body: hello } }]` })),
  ).toMatchInlineSnapshot(`
    [
      "rotation.yaml:13:63  keys[0].notify[0].http.method: found GET; accepted for a notification: POST or PUT",
      "rotation.yaml:13:74  keys[0].notify[0].http.body: a notification has its own body",
      "remove it; \`format\` chooses between json and slack",
    ]
  `);
  expect(
    await faults(policyText({ key: `notify: [{ http: ${at}, secret: s3cret }]` })),
  ).toMatchInlineSnapshot(`
    [
      "rotation.yaml:13:56  keys[0].notify[0].secret: found [secret]: a secret is never written here; accepted: { env: NAME } or { file: PATH }",
      "write secret: { env: NAME }",
    ]
  `);
  expect(
    await notes(
      policyText({
        key: `notify: [{ http: ${at}, on: [pass] }, { http: ${at}, on: [held, pass], format: slack }]`,
      }),
    ),
  ).toMatchInlineSnapshot(`
    [
      "13:100  keys[0].notify[1].on: pass posts a message after every pass; it is meant for a monitor that tells when it stays away",
    ]
  `);
});
