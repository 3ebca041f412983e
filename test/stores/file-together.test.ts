import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { Secret } from "../../src/lib/secret.ts";
import { openStore, put, temporaryFolder } from "./file-bench.ts";

const NAMES = Array.from({ length: 40 }, (_, index) => `key-${index}`);

it("writes many secrets at once, each its own value", async () => {
  const path = join(temporaryFolder(), "secrets");
  const store = openStore(path);
  for (const round of ["old", "new"])
    await Promise.all(NAMES.map((secret) => put(store, { secret }, `${round} ${secret}`)));
  for (const secret of NAMES) {
    expect(readFileSync(join(path, secret), "utf8")).toBe(`new ${secret}`);
    expect((await openStore(path).observe({ secret })).current?.hash).toBe(`hash-new ${secret}`);
  }
});

it("loses none of two versions that are staged in one secret at once", async () => {
  const store = openStore(join(temporaryFolder(), "secrets"));
  const ref = { secret: "payments" };
  await put(store, ref, "k1");
  const { base } = await store.observe(ref);
  await Promise.all(
    ["a", "b"].map((rotation) =>
      store.stage(ref, { rotation, hash: `hash-${rotation}`, value: new Secret(rotation), base }),
    ),
  );
  const { staged } = await store.observe(ref);
  expect(staged.map(({ rotation }) => rotation).sort()).toEqual(["a", "b"]);
});

it("fails for one secret alone that cannot be written", async () => {
  const path = join(temporaryFolder(), "secrets");
  const store = openStore(path);
  await put(store, { secret: "good" }, "k1");
  mkdirSync(join(path, "bad"));
  const put2 = (secret: string) =>
    put(store, { secret }, "k2").then(
      () => "written",
      ({ code }) => code,
    );
  expect(await Promise.all(["good", "bad", "better"].map(put2))).toEqual(["written", "unusable", "written"]);
  expect(readFileSync(join(path, "good"), "utf8")).toBe("k2");
});

it("puts a secret in order although what is asked of it is refused", async () => {
  const path = join(temporaryFolder(), "secrets");
  const store = openStore(path);
  const ref = { secret: "payments" };
  await put(store, ref, "k1");
  const before = readFileSync(join(path, "payments"), "utf8");
  await put(store, ref, "k2");
  // As a process leaves it that died between record and consumer file.
  writeFileSync(join(path, "payments"), before);
  chmodSync(join(path, "payments"), 0o600);
  await expect(store.promote(ref, "no such version", "no such base")).rejects.toThrow();
  expect(readFileSync(join(path, "payments"), "utf8")).toBe("k2");
});
