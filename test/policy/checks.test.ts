import { expect, test } from "vitest";
import { faults, load, policyText } from "./setup.ts";

/** A further key on the store `local`. */
function another(name: string, store: string, rest = ""): string {
  const consumers = "consumers: [{ name: api, probe: { http: http://127.0.0.1:8080/healthz } }]";
  return `  - { name: ${name}, provider: openrouter, schedule: "0 1 * * *", store: ${store}, ${consumers}${rest} }\n`;
}

/** The complaint about a probe, or a reload, written after the name of a consumer. */
function ofConsumer(rest: string): Promise<string[]> {
  return faults(policyText({ without: ["consumers"], key: `consumers: [{ name: api, ${rest} }]` }));
}

function ofSchedule(schedule: string, key = ""): Promise<string[]> {
  return faults(policyText({ without: ["schedule"], key: `schedule: ${schedule}\n${key}` }));
}

test("names of keys, earlier names, consumers and adopted hashes are unique", async () => {
  const text =
    policyText({
      without: ["consumers"],
      key: `
formerly: [b]
adopt: { hash: h1 }
consumers:
  - { name: api, probe: { http: http://127.0.0.1:1/ } }
  - { name: api, probe: { http: http://127.0.0.1:2/ } }`,
    }) +
    another("a", "{ use: local, secret: x }") +
    another("b", "{ use: local, secret: y }", ", adopt: { hash: h1 }");
  expect(await faults(text)).toMatchInlineSnapshot(`
    [
      "rotation.yaml:12:16  keys[0].formerly[0]: the name "b" is taken by keys[2].name",
      "rotation.yaml:16:17  keys[0].consumers[1].name: the consumer name "api" is taken by keys[0].consumers[0].name",
      "rotation.yaml:17:13  keys[1].name: the name "a" is taken by keys[0].name",
      "rotation.yaml:18:186  keys[2].adopt.hash: the adopted hash "h1" is taken by keys[0].adopt.hash",
    ]
  `);
});

test("providers and stores that are not there are named, with the nearest that is", async () => {
  const text = policyText({
    without: ["provider", "store"],
    key: "provider: arrouter\nstore: { use: locla, secret: a }",
  });
  expect(await faults(text)).toMatchInlineSnapshot(`
    [
      "rotation.yaml:11:15  keys[0].provider: found "arrouter", which is not under providers; accepted: openrouter, arouter",
      "did you mean "arouter"?",
      "rotation.yaml:12:19  keys[0].store.use: found "locla", which is not under stores; accepted: local",
      "did you mean "local"?",
    ]
  `);
});

test("two keys cannot write the same place of a store", async () => {
  const text =
    policyText() +
    another("b", "{ use: local, secret: a }") +
    another("c", "{ use: local, secret: a, field: F }") +
    another("d", "{ use: local, secret: shared, field: F }") +
    another("e", "{ use: local, secret: shared, field: F }") +
    another("f", "{ use: local, secret: shared, field: G }");
  expect(await faults(text)).toMatchInlineSnapshot(`
    [
      "rotation.yaml:13:90  keys[1].store.secret: the secret "a" is already written by keys[0]",
      "rotation.yaml:14:90  keys[2].store.secret: one key is the whole secret "a" and another a field of it; it is already written by keys[0]",
      "rotation.yaml:16:90  keys[4].store.secret: the field "F" of the secret "shared" is already written by keys[3]",
    ]
  `);
});

test("secrets of a file store cannot be file and directory at once, nor leave the store", async () => {
  const text =
    policyText() +
    another("b", "{ use: local, secret: a/b }") +
    another("c", "{ use: local, secret: ../c }") +
    another("d", "{ use: local, secret: .keyturn/d }") +
    another("e", "{ use: local, secret: e.json }") +
    another("f", "{ use: local, secret: /f }") +
    another("g", "{ use: local, secret: apps/g, field: F }") +
    another("h", "{ use: local, secret: apps/g/h }");
  expect(await faults(text)).toMatchInlineSnapshot(`
    [
      "rotation.yaml:13:90  keys[1].store.secret: the secret "a/b" would be both a file and a directory, because of keys[0]",
      "rotation.yaml:14:90  keys[2].store.secret: found "../c"; accepted in a file store: letters, digits, ".", "_" and "-", in parts joined by "/", no part beginning with "." or ending in ".json"",
      "rotation.yaml:15:90  keys[3].store.secret: found ".keyturn/d"; accepted in a file store: letters, digits, ".", "_" and "-", in parts joined by "/", no part beginning with "." or ending in ".json"",
      "rotation.yaml:16:90  keys[4].store.secret: found "e.json"; accepted in a file store: letters, digits, ".", "_" and "-", in parts joined by "/", no part beginning with "." or ending in ".json"",
      "rotation.yaml:17:90  keys[5].store.secret: found "/f"; accepted in a file store: letters, digits, ".", "_" and "-", in parts joined by "/", no part beginning with "." or ending in ".json"",
    ]
  `);
});

test("file stores need directories of their own, closed to everyone else", async () => {
  const text = policyText({
    top: `
  same: { type: file, path: secrets/. }
  inner: { type: file, path: ./secrets/inner }
  open: { type: file, path: ./open, mode: "0644", dirMode: "0755" }
  shut: { type: file, path: ./shut, mode: "0060", dirMode: "0600" }
  home: { type: file, path: ~/secrets }
journal: { type: sqlite, path: ~/journal.db }`,
  });
  expect(await faults(text)).toMatchInlineSnapshot(`
    [
      "rotation.yaml:7:29  stores.same.path: this is the directory of the store local; each store needs a directory of its own",
      "rotation.yaml:8:30  stores.inner.path: this lies in one tree with the store local; each store needs a directory of its own",
      "rotation.yaml:9:43  stores.open.mode: found "0644": everyone on this machine could get at the keys",
      "for consumers of the same group: "0640"",
      "rotation.yaml:9:60  stores.open.dirMode: found "0755": everyone on this machine could get at the keys",
      "for consumers of the same group: "0750"",
      "rotation.yaml:10:43  stores.shut.mode: found "0060": keyturn itself could not read and write there",
      "at least "0600"",
      "rotation.yaml:10:60  stores.shut.dirMode: found "0600": keyturn itself could not read and write there",
      "at least "0700"",
      "rotation.yaml:11:29  stores.home.path: found "~/secrets": ~ is not filled in here",
      "write \${HOME}/secrets",
      "rotation.yaml:12:32  journal.path: found "~/journal.db": ~ is not filled in here",
      "write \${HOME}/journal.db",
    ]
  `);
});

test("modes for consumers of the same group are accepted", async () => {
  const text = policyText({ top: '  group: { type: file, path: ./g, mode: "0640", dirMode: "0750" }' });
  expect((await load(text)).policy.stores.group).toMatchObject({ mode: "0640", dirMode: "0750" });
});

test.each([
  [
    '"0 0 1 * 1"',
    "a day of month together with a day of week",
    'put * in one of the two: "0 0 * * 1" or "0 0 1 * *"',
  ],
  ['"0 0 * * * *"', "6 fields; accepted: five", "leave out the seconds"],
  ["7d", "one field; accepted: five", "write { every: 7d }"],
  ['"@weekly"', "one field; accepted: five", 'write "0 0 * * 0"'],
  ["nonne", "one field; accepted: five", 'did you mean "none"?'],
  ['"60 * * * *"', 'no valid cron expression: its minute is "60"'],
  ['"0 0 * * fun"', 'no valid cron expression: its day of week is "fun"'],
  ['"a b c d e"', 'no valid cron expression: its minute is "a"'],
  ['"0 0 31 2 *"', "which never comes"],
  ["{ every: 0s }", "it would rotate without end; accepted: a longer duration"],
])("the schedule %s is refused: %s", async (schedule, ...says) => {
  const shown = await ofSchedule(schedule);
  expect(shown).toHaveLength(says.length);
  for (const [index, text] of says.entries()) expect(shown[index]).toContain(text);
});

test.each(['"*/5 * * * *"', '"0 10 * * mon-fri"', '"0 0 29 2 *"', '"0 0 ? * 1"', "{ every: 36h }", "none"])(
  "the schedule %s is accepted",
  async (schedule) => {
    expect(await ofSchedule(schedule)).toEqual(["valid"]);
  },
);

test("a time zone that is not known is refused, an offset too", async () => {
  expect(await faults(policyText({ key: "timezone: Europe/Berln" }))).toMatchInlineSnapshot(`
    [
      "rotation.yaml:13:15  keys[0].timezone: found "Europe/Berln", no known time zone; accepted: a name like Europe/Berlin or Etc/UTC",
      "did you mean "Europe/Berlin"?",
    ]
  `);
  expect(await faults(policyText({ key: "timezone: '+02:00'" }))).toMatchInlineSnapshot(`
    [
      "rotation.yaml:13:15  keys[0].timezone: found "+02:00", no known time zone; accepted: a name like Europe/Berlin or Etc/UTC",
    ]
  `);
});

test("an expiry that always comes before the schedule is explained with figures", async () => {
  expect(await ofSchedule('"0 0 1 * *"', "settings: { expiresAfter: 30d }")).toMatchInlineSnapshot(`
    [
      "rotation.yaml:13:31  keys[0].settings.expiresAfter: found 30d: the schedule never decides, because its period is 28d and expiry always comes first (30d less a third of it is 20d)",
      "make expiresAfter longer, or the schedule more frequent, or write schedule: none to rotate by expiry alone",
    ]
  `);
  expect(
    await ofSchedule("{ every: 30d }", "settings: { expiresAfter: 40d }\nrenewBefore: 15d"),
  ).toMatchInlineSnapshot(`
    [
      "rotation.yaml:13:31  keys[0].settings.expiresAfter: found 40d: the schedule never decides, because its period is 30d and expiry always comes first (40d less renewBefore 15d is 25d)",
      "make expiresAfter longer, or the schedule more frequent, or write schedule: none to rotate by expiry alone",
    ]
  `);
  expect(await ofSchedule("none", "settings: { expiresAfter: 30d }")).toEqual(["valid"]);
});

test("a renewal no later than the creation is refused", async () => {
  expect(
    await ofSchedule("none", "settings: { expiresAfter: 10d }\nrenewBefore: 10d"),
  ).toMatchInlineSnapshot(`
    [
      "rotation.yaml:14:18  keys[0].renewBefore: found 10d, no less than expiresAfter 10d: each key would be due as soon as it is made",
    ]
  `);
});

test("an expiry given twice, in the past, or of no length is refused", async () => {
  const settings = (text: string) => faults(policyText({ key: `settings: { ${text} }` }));
  expect(await settings("expiresAfter: 90d, expiresAt: 2027-01-01T00:00:00Z")).toMatchInlineSnapshot(`
    [
      "rotation.yaml:13:47  keys[0].settings.expiresAt: found together with expiresAfter; accepted: one of the two",
      "expiresAfter counts from each key's creation, expiresAt is one instant for all",
    ]
  `);
  expect(await settings("expiresAt: 2026-03-02T12:00:00Z")).toMatchInlineSnapshot(`
    [
      "rotation.yaml:13:28  keys[0].settings.expiresAt: this instant has passed: each key would be born expired",
      "write a later one, or expiresAfter, which moves along",
    ]
  `);
  expect(await settings("expiresAfter: 0s")).toMatchInlineSnapshot(`
    [
      "rotation.yaml:13:31  keys[0].settings.expiresAfter: found 0s: each key would be born expired; accepted: a longer duration",
    ]
  `);
});

test("settings of the other provider's type are refused", async () => {
  const text = policyText({ key: "settings: { allowedProviders: [openai], allowedModels: [x] }" });
  expect(await faults(text)).toMatchInlineSnapshot(`
    [
      "rotation.yaml:13:35  keys[0].settings.allowedProviders: this is a setting of arouter; openrouter is of type openrouter",
      "rotation.yaml:13:60  keys[0].settings.allowedModels: this is a setting of arouter; openrouter is of type openrouter",
    ]
  `);
  const other = policyText({ without: ["provider"], key: "provider: arouter\nsettings: { workspaceId: w }" });
  expect(await faults(other)).toMatchInlineSnapshot(`
    [
      "rotation.yaml:13:30  keys[0].settings.workspaceId: this is a setting of openrouter; arouter is of type arouter",
    ]
  `);
});

test("a probe asks in exactly one way, a reload too", async () => {
  expect(await ofConsumer("probe: {}")).toMatchInlineSnapshot(`
    [
      "rotation.yaml:12:37  keys[0].consumers[0].probe: found none; accepted: one of http, exec, pods, kubernetes",
    ]
  `);
  expect(
    await ofConsumer('probe: { http: http://127.0.0.1/, exec: [x, "{hash}"] }, reload: {}'),
  ).toMatchInlineSnapshot(`
    [
      "rotation.yaml:12:37  keys[0].consumers[0].probe: found http and exec; accepted: one of http, exec, pods, kubernetes",
      "rotation.yaml:12:95  keys[0].consumers[0].reload: found none; accepted: one of http, exec, kubernetes",
    ]
  `);
});

test("a probe that cannot tell the new key from the old is refused, unless that is said to be meant", async () => {
  const http = "http: http://127.0.0.1/";
  expect(await ofConsumer(`probe: { ${http}, expect: { status: 200, body: ok } }`)).toMatchInlineSnapshot(`
    [
      "rotation.yaml:12:37  keys[0].consumers[0].probe: this expectation does not say which key is the new one, so it would confirm the old one too",
      "expect "{fingerprint}", {hash}, {label} or {version} somewhere; or accept it knowingly with trustStatus: true, or with evidence: usage",
    ]
  `);
  expect(await ofConsumer("probe: { exec: [./check] }")).toMatchInlineSnapshot(`
    [
      "rotation.yaml:12:37  keys[0].consumers[0].probe: this command is not told which key is the new one, so it would confirm the old one too",
      "pass "{fingerprint}" as an argument; or accept it knowingly with trustStatus: true, or with evidence: usage",
    ]
  `);
  for (const probe of [
    http,
    `${http}, expect: { status: 200 }, trustStatus: true`,
    `${http}, expect: { status: 200 }, evidence: usage`,
    `${http}, expect: { json: { /key: "{fingerprint}" } }`,
    `${http}, expect: { json: { /key: "{fingerprint}" } }, trustStatus: true`,
    `${http}, expect: { headers: { X-Version: "v{version}" } }`,
    `${http}, expect: { body: "{label}" }`,
    'exec: [./check, "--hash={hash}"]',
    "exec: [./check], trustStatus: true",
  ]) {
    expect(await ofConsumer(`probe: { ${probe} }`), probe).toEqual(["valid"]);
  }
});

test("a misspelled word in braces is found, other text in braces is left alone", async () => {
  const text = 'probe: { exec: [./check, "{fingerprnt}", "{print $1}", "{other}"] }';
  expect(await ofConsumer(text)).toMatchInlineSnapshot(`
    [
      "rotation.yaml:12:55  keys[0].consumers[0].probe.exec[1]: found {fingerprnt}; accepted: {fingerprint}, {hash}, {label}, {version}",
      "did you mean {fingerprint}?",
    ]
  `);
  const expects = 'probe: { http: http://127.0.0.1/, expect: { json: { /k: "{Hash}" }, body: "{versoin}" } }';
  expect(await ofConsumer(expects)).toMatchInlineSnapshot(`
    [
      "rotation.yaml:12:86  keys[0].consumers[0].probe.expect.json["/k"]: found {Hash}; accepted: {fingerprint}, {hash}, {label}, {version}",
      "did you mean {hash}?",
      "rotation.yaml:12:104  keys[0].consumers[0].probe.expect.body: found {versoin}; accepted: {fingerprint}, {hash}, {label}, {version}",
      "did you mean {version}?",
    ]
  `);
});

test("instances are found in one way", async () => {
  expect(
    await ofConsumer("probe: { http: [http://10.0.0.1/, http://10.0.0.2/], resolve: all }"),
  ).toMatchInlineSnapshot(`
    [
      "rotation.yaml:12:92  keys[0].consumers[0].probe.resolve: found all together with several URLs; accepted: one URL whose name has every address, or a list without resolve",
    ]
  `);
  expect(
    await ofConsumer("probe: { http: [http://10.0.0.1/, http://10.0.0.2/], instances: 3 }"),
  ).toMatchInlineSnapshot(`
    [
      "rotation.yaml:12:94  keys[0].consumers[0].probe.instances: found 3, more than the 2 URLs: it could never confirm",
    ]
  `);
  expect(
    await ofConsumer(
      'probe: { exec: [./check, "{hash}"], resolve: all, instances: 2, expect: { status: 200 } }',
    ),
  ).toMatchInlineSnapshot(`
    [
      "rotation.yaml:12:75  keys[0].consumers[0].probe.resolve: this belongs to an http probe; an exec probe confirms by exit status 0",
      "rotation.yaml:12:91  keys[0].consumers[0].probe.instances: this belongs to an http probe; an exec probe confirms by exit status 0",
      "rotation.yaml:12:102  keys[0].consumers[0].probe.expect: this belongs to an http probe; an exec probe confirms by exit status 0",
    ]
  `);
});

test("without consumers, retire.after must be said and must last", async () => {
  const none = (retire: string, top = "") =>
    faults(policyText({ top, without: ["consumers"], key: `consumers: none\n${retire}` }));
  expect(await none("")).toMatchInlineSnapshot(`
    [
      "rotation.yaml:12:16  keys[0].consumers: found none: then nothing confirms the new key, and only retire.after says how long the old one must live on",
      "write retire: { after: … } with the time that every user of the key needs to take the new one",
    ]
  `);
  expect(await none("retire: { after: 0s }")).toHaveLength(2);
  expect(await none("retire: { after: 1h }")).toEqual(["valid"]);
  expect(await none("", "defaults: { retire: { after: 1h } }")).toEqual(["valid"]);
});

test("pauses of nothing and ranges the wrong way round are refused", async () => {
  const text = policyText({
    without: ["consumers"],
    key: `
retry: { after: 2h, max: 1h }
confirm: { interval: 0s }
windows: [{ kind: allow, schedule: "0 8 * * *", duration: 0s }]
consumers: [{ name: api, probe: { http: http://127.0.0.1/, timeout: 0s }, reload: { http: http://127.0.0.1/, timeout: 0s } }]`,
  });
  expect(await faults(text)).toMatchInlineSnapshot(`
    [
      "rotation.yaml:12:30  keys[0].retry.max: 1h is less than retry.after, 2h; the pause starts with after and doubles up to max",
      "rotation.yaml:13:26  keys[0].confirm.interval: found 0s: consumers would be asked without a pause; accepted: a longer duration",
      "rotation.yaml:14:14  keys[0].windows: these windows leave no instant within a year at which a rotation may start",
      "rotation.yaml:14:63  keys[0].windows[0].duration: found 0s: the window would never last; accepted: a longer duration",
      "rotation.yaml:15:73  keys[0].consumers[0].probe.timeout: found 0s: no answer could come in time; accepted: a longer duration",
      "rotation.yaml:15:123  keys[0].consumers[0].reload.timeout: found 0s: no answer could come in time; accepted: a longer duration",
    ]
  `);
  expect(await faults(policyText({ key: "retry: { after: 0s }" }))).toMatchInlineSnapshot(`
    [
      "rotation.yaml:13:21  keys[0].retry.after: found 0s: a failed rotation would be tried again without a pause; accepted: a longer duration",
    ]
  `);
});

test("windows that never open are refused, alone and together", async () => {
  const windows = (text: string) => faults(policyText({ key: `windows: ${text}` }));
  expect(await windows('[{ kind: deny, schedule: "0 0 * * *", duration: 24h }]')).toMatchInlineSnapshot(`
    [
      "rotation.yaml:13:14  keys[0].windows: these windows leave no instant within a year at which a rotation may start",
    ]
  `);
  expect(
    await windows(
      '[{ kind: allow, schedule: "0 8 * * *", duration: 1h }, { kind: deny, schedule: "0 7 * * *", duration: 3h }]',
    ),
  ).toHaveLength(1);
  expect(await windows('[{ kind: deny, schedule: "0 16 * * 5", duration: 64h }]')).toEqual(["valid"]);
  expect(await windows('[{ kind: deny, schedule: "0 16 1 * 5", duration: 64h }]')).toMatchInlineSnapshot(`
    [
      "rotation.yaml:13:39  keys[0].windows[0].schedule: found "0 16 1 * 5": a day of month together with a day of week is refused, because some schedulers take it as "both", others as "either"",
      "put * in one of the two: "0 16 * * 5" or "0 16 1 * *"",
    ]
  `);
});

test("faults of form and of combination come together", async () => {
  const text = policyText({
    without: ["provider"],
    key: 'provider: nobody\nspread: soon\nwindows: [{ kind: deny, schedule: "x", duration: 1h }]',
  });
  expect(await faults(text)).toMatchInlineSnapshot(`
    [
      "rotation.yaml:12:15  keys[0].provider: found "nobody", which is not under providers; accepted: openrouter, arouter",
      "rotation.yaml:13:13  keys[0].spread: found "soon"; accepted: a duration like 500ms, 90s, 15m, 24h or 30d, of at most 100 years",
      "rotation.yaml:14:39  keys[0].windows[0].schedule: found "x", one field; accepted: five (minute, hour, day of month, month, day of week)",
    ]
  `);
});
