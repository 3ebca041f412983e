import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Secret } from "../../src/lib/secret.ts";
import { consumerFile, OWNER, openStore, put, temporaryFolder, writeByHand } from "./file-bench.ts";

const PLAIN = { secret: "payments" };
const FIELD = { secret: "shared", field: "LLM_KEY" };

describe("a promotion that died between record and consumer file", () => {
  it.each([PLAIN, FIELD])("is finished by the next look: %o", async (ref) => {
    const path = join(temporaryFolder(), "secrets");
    await put(openStore(path), ref, "k1");
    const before = readFileSync(consumerFile(path, ref), "utf8");
    const { version } = await put(openStore(path), ref, "k2");
    const after = readFileSync(consumerFile(path, ref), "utf8");
    writeByHand(path, ref, before);

    const view = await openStore(path).observe(ref);
    expect(view).toMatchObject({ base: version, current: { version, hash: "hash-k2" }, warnings: [] });
    expect(readFileSync(consumerFile(path, ref), "utf8")).toBe(after);
  });

  it("is finished by a repeated promotion too", async () => {
    const path = join(temporaryFolder(), "secrets");
    const store = openStore(path);
    await put(store, PLAIN, "k1");
    const { version, base } = await put(store, PLAIN, "k2");
    writeByHand(path, PLAIN, "k1");
    await openStore(path).promote(PLAIN, version, base);
    expect(readFileSync(join(path, "payments"), "utf8")).toBe("k2");
  });

  it("is finished when it was the first one", async () => {
    const path = join(temporaryFolder(), "secrets");
    await put(openStore(path), FIELD, "k1");
    rmSync(consumerFile(path, FIELD));
    await openStore(path).observe(FIELD);
    expect(JSON.parse(readFileSync(consumerFile(path, FIELD), "utf8"))).toEqual({ LLM_KEY: "k1" });
  });
});

describe("the file that consumers read", () => {
  it("is left alone when only its layout was changed", async () => {
    const path = join(temporaryFolder(), "secrets");
    const store = openStore(path);
    const { version } = await put(store, FIELD, "k1");
    writeByHand(path, FIELD, '{"LLM_KEY":"k1"}');
    await put(store, PLAIN, "k1");
    writeByHand(path, PLAIN, "k1\n");
    expect(await store.observe(FIELD)).toMatchObject({ base: version, warnings: [] });
    expect((await store.observe(PLAIN)).warnings).toEqual([]);
    expect(readFileSync(consumerFile(path, FIELD), "utf8")).toBe('{"LLM_KEY":"k1"}');
  });

  it("is a person's edit when it equals neither current nor what current replaced", async () => {
    const path = join(temporaryFolder(), "secrets");
    const store = openStore(path);
    await put(store, PLAIN, "k1");
    const { version } = await put(store, PLAIN, "k2");
    writeByHand(path, PLAIN, "k3\n");
    const view = await store.observe(PLAIN);
    expect(view.warnings).toEqual([expect.stringContaining("edited by hand")]);
    expect(view.current?.version).toMatch(/^edit-/);
    expect((await openStore(path).observe(PLAIN)).base).toBe(view.base);
    expect((await store.read(PLAIN, version))?.reveal()).toBe("k2");
    expect(readFileSync(join(path, "payments"), "utf8")).toBe("k3\n");
  });

  it("may be set back by a person after an edit was taken in, and stays as it was set", async () => {
    const path = join(temporaryFolder(), "secrets");
    const store = openStore(path);
    const { version } = await put(store, PLAIN, "k1");
    writeByHand(path, PLAIN, "by-hand");
    const { base } = await store.observe(PLAIN);
    await store.stage(PLAIN, { rotation: "r2", hash: "h2", value: new Secret("k2"), base });
    writeByHand(path, PLAIN, "k1");
    const view = await store.observe(PLAIN);
    expect(readFileSync(join(path, "payments"), "utf8")).toBe("k1");
    expect(view.current).toMatchObject({ hash: "hash-k1" });
    expect([version, base]).not.toContain(view.base);
  });

  it("is refused while it is empty, as it is in the middle of somebody's writing", async () => {
    const path = join(temporaryFolder(), "secrets");
    const store = openStore(path);
    const { version } = await put(store, PLAIN, "k1");
    writeByHand(path, PLAIN, "");
    await expect(store.observe(PLAIN)).rejects.toMatchObject({ code: "unusable" });
    rmSync(join(path, "payments"));
    expect((await store.observe(PLAIN)).base).toBe(version);
    expect(readFileSync(join(path, "payments"), "utf8")).toBe("k1");
  });
});

describe("a record", () => {
  it.each([
    ["empty", "", "unusable"],
    ["cut off", '{"format": 1, "secret": "pay', "unusable"],
    ["of another shape", '{"format": 1, "secret": "payments"}', "unusable"],
    ["no object", "[]", "unusable"],
    ["of another secret", '{"format":1,"secret":"x","fences":0,"staged":[],"retained":[]}', "unusable"],
    ["of a newer version", '{"format": 2, "anything": true}', "newer-version"],
  ])("that is %s is never taken for none", async (_what, text, code) => {
    const path = join(temporaryFolder(), "secrets");
    const store = openStore(path);
    const { version } = await put(store, PLAIN, "k1");
    const record = join(path, ".keyturn/records/payments.json");
    const good = readFileSync(record, "utf8");
    writeFileSync(record, text);
    const refused = { code, message: expect.stringContaining(record), hint: expect.any(String) };
    await expect(store.observe(PLAIN)).rejects.toMatchObject(refused);
    await expect(store.read(PLAIN, version)).rejects.toMatchObject(refused);
    await expect(store.claim(PLAIN, OWNER, { create: true })).rejects.toMatchObject(refused);
    await expect(store.promote(PLAIN, version, "absent")).rejects.toMatchObject(refused);
    expect(readFileSync(record, "utf8")).toBe(text);
    writeFileSync(record, good);
    expect((await store.observe(PLAIN)).base).toBe(version);
  });

  it("that was lost with its directory leaves the consumers' file as the current version", async () => {
    const path = join(temporaryFolder(), "secrets");
    await put(openStore(path), PLAIN, "k1");
    rmSync(join(path, ".keyturn"), { recursive: true });
    const view = await openStore(path).observe(PLAIN);
    expect(view).toMatchObject({ owner: undefined });
    expect(view.current?.value?.reveal()).toBe("k1");
    expect(view.current?.hash).toBeUndefined();
  });
});

it("removes the temporary files of a process that died while it wrote", async () => {
  const path = join(temporaryFolder(), "secrets");
  await put(openStore(path), PLAIN, "k1");
  const records = join(path, ".keyturn/records");
  for (const folder of [path, records]) writeFileSync(join(folder, ".keyturn-0123456789abcdef.tmp"), "k2");
  writeFileSync(join(path, ".keyturn-notes.txt"), "a person's own");
  await openStore(path).observe(PLAIN);
  expect(readdirSync(path).sort()).toEqual([".keyturn", ".keyturn-notes.txt", "payments"]);
  expect(readdirSync(records)).toEqual(["payments.json"]);
});

it("refuses a store whose lock file is no lock, and says that it holds no data", async () => {
  const path = join(temporaryFolder(), "secrets");
  await put(openStore(path), PLAIN, "k1");
  writeFileSync(join(path, ".keyturn/lock.db"), "not a database ".repeat(100));
  await expect(openStore(path).observe(PLAIN)).rejects.toMatchObject({
    code: "unusable",
    hint: expect.stringContaining("delete"),
  });
  rmSync(join(path, ".keyturn/lock.db"));
  expect((await openStore(path).observe(PLAIN)).current?.hash).toBe("hash-k1");
  expect(statSync(join(path, ".keyturn/lock.db")).mode & 0o777).toBe(0o600);
});
