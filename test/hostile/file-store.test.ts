import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Secret } from "../../src/lib/secret.ts";
import type { SecretRef, Store } from "../../src/stores/store.ts";
import { consumerFile, OWNER, openStore, temporaryFolder } from "../stores/file-bench.ts";
import { anyJson, expectWithout, mutated, nested, outcome, runs, soup } from "./generators.ts";
import { hastyClock } from "./provider-answers.ts";

const OLD = "sk-or-v1-old0123456789abcdef";
const NEW = "sk-or-v1-new0123456789abcdef";
const SECRETS = [OLD, NEW];
const FIELD: SecretRef = { secret: "team/payments", field: "KEY" };
const PLAIN: SecretRef = { secret: "plain" };

type World = { path: string; store: Store; version: string; base: string };

async function put(store: Store, ref: SecretRef): Promise<void> {
  await store.claim(ref, OWNER, { create: true });
  const { base } = await store.observe(ref);
  const { version } = await store.stage(ref, { rotation: "r0", hash: "h0", value: new Secret(OLD), base });
  await store.promote(ref, version, base);
}

/** A store with a current value and another one staged. */
async function setUp(ref: SecretRef): Promise<World> {
  const path = join(temporaryFolder(), "secrets");
  const store = openStore(path, { clock: hastyClock() });
  await put(store, ref);
  const { base } = await store.observe(ref);
  const { version } = await store.stage(ref, { rotation: "r1", hash: "h1", value: new Secret(NEW), base });
  return { path, store, version, base };
}

const recordFile = (path: string, { secret }: SecretRef) => join(path, ".keyturn/records", `${secret}.json`);

const CALLS: Record<string, (world: World, ref: SecretRef) => Promise<unknown>> = {
  observe: ({ store }, ref) => store.observe(ref),
  claim: ({ store }, ref) => store.claim(ref, { ...OWNER, journal: "j2" }, { create: true, takeOver: true }),
  stage: ({ store, base }, ref) =>
    store.stage(ref, { rotation: "r2", hash: "h2", value: new Secret(NEW), base }),
  read: ({ store, version }, ref) => store.read(ref, version),
  promote: ({ store, version, base }, ref) => store.promote(ref, version, base),
  fence: ({ store, base }, ref) => store.fence(ref, base),
  drop: ({ store, version }, ref) => store.drop(ref, version),
};
const call = fc.constantFrom(...Object.keys(CALLS));
const ref = fc.constantFrom(FIELD, PLAIN);

/** Every file below a folder and what it holds, the lock left out. */
function contents(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return Object.fromEntries(
    files
      .map(({ parentPath, name }) => join(parentPath, name))
      .filter((file) => !/lock\.db/.test(file))
      .map((file) => [file, readFileSync(file, "latin1")]),
  );
}

/** Bytes that mean something here, and others. */
const bytes: fc.Arbitrary<Buffer> = fc.oneof(
  fc.uint8Array({ maxLength: 80 }).map((list) => Buffer.from(list)),
  soup(
    [
      "{",
      "}",
      '"format":1',
      '"secret":"plain"',
      ",",
      "[",
      "]",
      '"KEY":',
      `"${NEW}"`,
      "\u0000",
      "\ufeff",
      "\n",
    ],
    10,
  ).map((text) => Buffer.from(text)),
  anyJson.map((json) => Buffer.from(JSON.stringify(json))),
  fc
    .constantFrom(
      "",
      "\n",
      nested(20_000),
      `{"KEY":"x","deep":${nested(6_000)}}`,
      '{"KEY":7}',
      `{"a":${"9".repeat(400)}}`,
      "{}",
      "null",
    )
    .map((text) => Buffer.from(text)),
);

describe("whatever stands in a file store", () => {
  test("a record of any bytes is refused, and left as it is together with what consumers read", async () => {
    await fc.assert(
      fc.asyncProperty(ref, call, bytes, async (ref, method, damage) => {
        const world = await setUp(ref);
        writeFileSync(recordFile(world.path, ref), damage);
        const before = contents(world.path);
        const { error } = await outcome((CALLS[method] as (typeof CALLS)[string])(world, ref), SECRETS);
        expect(["unusable", "newer-version"]).toContain(error?.code);
        expect(contents(world.path)).toEqual(before);
      }),
      runs(12),
    );
  });

  test("a record changed anywhere is refused, or taken for what it says without losing the value in use", async () => {
    await fc.assert(
      fc.asyncProperty(ref, call, fc.nat(), fc.integer(), async (ref, method, at, seed) => {
        const world = await setUp(ref);
        const file = recordFile(world.path, ref);
        const [changed] = fc.sample(mutated(JSON.parse(readFileSync(file, "utf8"))), { seed, numRuns: 1 });
        writeFileSync(
          file,
          at % 5 === 0 ? `${JSON.stringify(changed)}`.slice(0, at % 500) : `${JSON.stringify(changed)}`,
        );
        const before = contents(world.path);
        const { error } = await outcome((CALLS[method] as (typeof CALLS)[string])(world, ref), SECRETS);
        const after = contents(world.path);
        const refused = ["conflict", "absent", "rejected"];
        if (error) expect(["unusable", "newer-version", ...refused]).toContain(error.code);
        if (error && !refused.includes(error.code)) expect(after).toMatchObject(before);
        expect(Object.values(after).join()).toContain(OLD);
      }),
      runs(15),
    );
  });

  test("what consumers read, replaced by any bytes, is an edit or is refused, and never absent", async () => {
    await fc.assert(
      fc.asyncProperty(ref, bytes, async (ref, damage) => {
        const { path, store } = await setUp(ref);
        const file = consumerFile(path, ref);
        writeFileSync(file, damage);
        const { value, error } = await outcome(store.observe(ref), SECRETS);
        if (error) expect(error.code).toBe("unusable");
        else {
          expect(value.current?.version).toBe(value.base);
          expectWithout(SECRETS, JSON.stringify(value));
        }
        expect(readFileSync(file)).toEqual(damage);
        // Nor is it overwritten by a promotion that does not know it.
        const { base } = value ?? { base: "absent" };
        const staged = await outcome(
          store.stage(ref, { rotation: "r3", hash: "h3", value: new Secret(NEW), base }),
          SECRETS,
        );
        if (error) expect(["unusable", "conflict"]).toContain(staged.error?.code);
        expect(readFileSync(file)).toEqual(damage);
      }),
      runs(15),
    );
  });

  const places: Record<string, (path: string, ref: SecretRef) => string> = {
    "the record": recordFile,
    "the consumer file": consumerFile,
    "the folder of records": (path) => join(path, ".keyturn/records"),
    "the private folder": (path) => join(path, ".keyturn"),
    "the lock": (path) => join(path, ".keyturn/lock.db"),
    "the store itself": (path) => path,
  };
  const obstacles: Record<string, (at: string) => void> = {
    "a directory": (at) => mkdirSync(at),
    "a link to nowhere": (at) => symlinkSync(join(dirname(at), "nowhere"), at),
    "a link to itself": (at) => symlinkSync(at, at),
    "a link to another file": (at) => {
      writeFileSync(`${at}.other`, "{}");
      symlinkSync(`${at}.other`, at);
    },
    "a file": (at) => writeFileSync(at, "no database, and long enough to be looked at as one".repeat(20)),
    "a file of five mebibytes": (at) => writeFileSync(at, Buffer.alloc(5 * 1024 * 1024, "x")),
    "a file open to everybody": (at) => {
      writeFileSync(at, "{}");
      chmodSync(at, 0o666);
    },
  };
  const combinations = Object.keys(places).flatMap((place) =>
    Object.keys(obstacles).map((obstacle) => [obstacle, place] as const),
  );

  test.each(combinations)(
    "%s in place of %s ends in a view or an error, and is left there",
    async (obstacle, place) => {
      const world = await setUp(FIELD);
      const at = (places[place] as (typeof places)[string])(world.path, FIELD);
      rmSync(at, { recursive: true });
      (obstacles[obstacle] as (typeof obstacles)[string])(at);
      for (const work of Object.values(CALLS)) {
        const { error } = await outcome(work(world, FIELD), SECRETS);
        if (error) expect(["unusable", "forbidden", "conflict", "absent"]).toContain(error.code);
      }
      const examined = await world.store.check?.(FIELD);
      expect(examined?.checks.length).toBeGreaterThan(0);
      expectWithout(SECRETS, JSON.stringify(examined));
      expect(existsSync(dirname(at))).toBe(true);
    },
  );
});

test("any text as the name of a secret stays inside the store, or is refused", async () => {
  const name = soup(
    ["..", "/", "a", ".json", ".", "\u0000", "\\", "%2e", ".keyturn", "~", "x".repeat(300), " "],
    6,
  );
  const folder = temporaryFolder();
  const store = openStore(join(folder, "secrets"), { clock: hastyClock() });
  await fc.assert(
    fc.asyncProperty(name, fc.boolean(), async (secret, field) => {
      const ref = field ? { secret, field: "KEY" } : { secret };
      await outcome(store.claim(ref, OWNER, { create: true }), SECRETS);
      await outcome(put(store, ref), SECRETS);
      expect(readdirSync(folder).filter((entry) => entry !== "secrets")).toEqual([]);
    }),
    runs(12),
  );
});
