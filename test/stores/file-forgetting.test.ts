import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { editByHand, openStore, put, temporaryFolder, writeByHand } from "./file-bench.ts";

const FIELD = { secret: "shared", field: "LLM_KEY" };
const OTHER = { secret: "shared", field: "DB_PASSWORD" };
const PLAIN = { secret: "plain" };

/** A store with what its records hold, as text. */
function bench() {
  const path = join(temporaryFolder(), "secrets");
  const store = openStore(path);
  const record = (secret: string) => readFileSync(join(path, ".keyturn/records", `${secret}.json`), "utf8");
  /** A person writes a field, and keyturn looks. */
  const edit = async (ref: { secret: string; field?: string }, value: string) => {
    editByHand(path, ref, value);
    return (await store.observe(ref)).current?.version as string;
  };
  return { path, store, record, edit };
}

describe("a value that is dropped", () => {
  it("leaves every version that a person's edit of another field has made of it", async () => {
    const { store, record, edit } = bench();
    const first = await put(store, FIELD, "k1");
    for (const password of ["p1", "p2", "p3"]) await edit(OTHER, password);
    await put(store, FIELD, "k2");
    expect(record("shared").match(/"k1"/g)?.length).toBeGreaterThan(1);
    await store.drop(FIELD, first.version);
    expect(record("shared")).not.toContain('"k1"');
    expect((await store.observe(FIELD)).current?.value?.reveal()).toBe("k2");
  });

  it("leaves the values of other fields where they are", async () => {
    const { store, edit } = bench();
    const first = await put(store, FIELD, "k1");
    const edited = await edit(OTHER, "p1");
    await put(store, FIELD, "k2");
    await put(store, OTHER, "p2");
    await store.drop(FIELD, first.version);
    expect((await store.read(OTHER, edited))?.reveal()).toBe("p1");
    expect(await store.read(FIELD, edited)).toBeUndefined();
  });

  it("stays where it is current, or staged", async () => {
    const { store, edit } = bench();
    const first = await put(store, FIELD, "k1");
    const edited = await edit(OTHER, "p1");
    await put(store, FIELD, "k2");
    const back = await put(store, FIELD, "k1");
    await store.drop(FIELD, first.version);
    for (const version of [edited, back.version])
      expect((await store.read(FIELD, version))?.reveal()).toBe("k1");
  });

  it("does not make a person's removal of a field look like a promotion that died half-way", async () => {
    const { path, store, edit } = bench();
    const first = await put(store, FIELD, "k1");
    await edit(OTHER, "p1");
    await put(store, FIELD, "k2");
    await store.drop(FIELD, first.version);
    writeByHand(path, OTHER, '{"DB_PASSWORD":"p1"}');
    expect((await store.observe(FIELD)).current?.value).toBeUndefined();
    expect((await store.observe(OTHER)).current?.value?.reveal()).toBe("p1");
  });

  it("leaves a plain secret's versions too", async () => {
    const { store, record, edit } = bench();
    const first = await put(store, PLAIN, "k1");
    await edit(PLAIN, "by hand");
    await edit(PLAIN, "k1");
    await put(store, PLAIN, "k2");
    await store.drop(PLAIN, first.version);
    expect(record("plain")).not.toContain('"k1"');
  });
});
