import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { consumerFile, OWNER, openStore, put, temporaryFolder, writeByHand } from "./file-bench.ts";

const PLAIN = { secret: "payments" };
const FIELD = { secret: "prod/shared", field: "LLM_KEY" };
const mode = (path: string) => (statSync(path).mode & 0o777).toString(8);
const tree = (path: string) => readdirSync(path, { recursive: true }).map(String).sort();

describe("what consumers read", () => {
  it("is the value alone, or the JSON object", async () => {
    const path = join(temporaryFolder(), "secrets");
    const store = openStore(path);
    await put(store, PLAIN, "k1");
    await put(store, FIELD, "k1");
    expect(readFileSync(join(path, "payments"), "utf8")).toBe("k1");
    expect(readFileSync(join(path, "prod/shared.json"), "utf8")).toBe('{\n  "LLM_KEY": "k1"\n}\n');
  });

  it("is replaced at once, never written in place", async () => {
    const path = join(temporaryFolder(), "secrets");
    const store = openStore(path);
    await put(store, PLAIN, "k1");
    const { ino } = statSync(join(path, "payments"));
    await put(store, PLAIN, "k2");
    expect(statSync(join(path, "payments")).ino).not.toBe(ino);
  });

  it("does not change while a version is staged", async () => {
    const path = join(temporaryFolder(), "secrets");
    const store = openStore(path);
    await store.claim(PLAIN, OWNER, { create: true });
    expect(existsSync(join(path, "payments"))).toBe(false);
  });

  it("keeps fields of every type to the last digit", async () => {
    const path = join(temporaryFolder(), "secrets");
    writeByHand(path, FIELD, '{"id":12345678901234567890,"rate":1.0,"deep":{"a":[null,"x"]},"LLM_KEY":"k1"}');
    await put(openStore(path), FIELD, "k2");
    expect(readFileSync(consumerFile(path, FIELD), "utf8").replace(/\s/g, "")).toBe(
      '{"id":12345678901234567890,"rate":1.0,"deep":{"a":[null,"x"]},"LLM_KEY":"k2"}',
    );
  });
});

describe("modes", () => {
  it("let nobody but the owner in, whatever the umask", async () => {
    const path = join(temporaryFolder(), "a/secrets");
    const before = process.umask(0);
    try {
      await put(openStore(path), FIELD, "k1");
    } finally {
      process.umask(before);
    }
    for (const file of tree(path).map((name) => join(path, name))) {
      expect([file, mode(file)]).toEqual([file, statSync(file).isDirectory() ? "700" : "600"]);
    }
    expect([mode(path), mode(join(path, ".."))]).toEqual(["700", "700"]);
  });

  it("let a consumer's group in when the policy says so, but not to the records", async () => {
    const path = join(temporaryFolder(), "secrets");
    await put(openStore(path, { mode: "0640", dirMode: "0750" }), FIELD, "k1");
    expect(mode(path)).toBe("750");
    expect(mode(join(path, "prod"))).toBe("750");
    expect(mode(join(path, "prod/shared.json"))).toBe("640");
    expect(mode(join(path, ".keyturn"))).toBe("700");
    expect(mode(join(path, ".keyturn/records/prod/shared.json"))).toBe("600");
  });

  it.each([
    ["everyone can read", 0o755, "0700", "chmod 700"],
    ["everyone can enter", 0o701, "0700", "chmod 700"],
    ["its group can read without the policy saying so", 0o750, "0700", 'dirMode: "0750"'],
    ["everyone can read beside the group", 0o755, "0750", "chmod 750"],
  ])("refuse a directory that %s", async (_what, actual, dirMode, hint) => {
    const path = join(temporaryFolder(), "secrets");
    mkdirSync(path);
    chmodSync(path, actual);
    const store = openStore(path, { dirMode });
    const refused = { code: "unusable", hint: expect.stringContaining(hint) };
    await expect(store.observe(PLAIN)).rejects.toMatchObject(refused);
    await expect(store.claim(PLAIN, OWNER, { create: true })).rejects.toMatchObject(refused);
    expect(tree(path)).toEqual([]);
  });

  it("refuse an opened directory of records, and an opened record", async () => {
    const path = join(temporaryFolder(), "secrets");
    const store = openStore(path);
    await put(store, PLAIN, "k1");
    const record = join(path, ".keyturn/records/payments.json");
    chmodSync(record, 0o644);
    await expect(store.observe(PLAIN)).rejects.toMatchObject({
      code: "unusable",
      hint: expect.stringContaining(`chmod 600 ${record}`),
    });
    chmodSync(record, 0o600);
    chmodSync(join(path, ".keyturn"), 0o755);
    await expect(store.observe(PLAIN)).rejects.toMatchObject({ code: "unusable" });
  });

  it.each([{ dirMode: "0777" }, { dirMode: "0704" }, { mode: "0666" }])(
    "refuse a policy that opens secrets to everyone: %o",
    async (options) => {
      const path = join(temporaryFolder(), "secrets");
      await expect(openStore(path, options).observe(PLAIN)).rejects.toMatchObject({ code: "unusable" });
    },
  );

  it("warn when a consumer's file has another mode than the policy will give it", async () => {
    const path = join(temporaryFolder(), "secrets");
    writeByHand(path, PLAIN, "k1\n");
    chmodSync(join(path, "payments"), 0o640);
    const { warnings } = await openStore(path).observe(PLAIN);
    expect(warnings).toEqual([expect.stringMatching(/payments has mode 0640.*0600/)]);
  });
});

it("leaves a consumer's file with its owner, as far as this user may", async () => {
  const path = join(temporaryFolder(), "secrets");
  writeByHand(path, PLAIN, "k1");
  const file = join(path, "payments");
  if (process.getuid?.() === 0) chownSync(file, 65534, 65534);
  const { uid, gid } = statSync(file);
  await put(openStore(path), PLAIN, "k2");
  expect(statSync(file)).toMatchObject({ uid, gid });
  expect(readFileSync(file, "utf8")).toBe("k2");
});

describe("looking", () => {
  it("leaves nothing behind where nothing is", async () => {
    const folder = temporaryFolder();
    const store = openStore(join(folder, "secrets"));
    expect(await store.observe(PLAIN)).toMatchObject({ base: "absent", current: undefined });
    expect(await store.read(PLAIN, "v")).toBeUndefined();
    await store.drop(PLAIN, "v");
    await expect(store.claim(PLAIN, OWNER, { create: false })).rejects.toMatchObject({ code: "absent" });
    expect(tree(folder)).toEqual([]);
  });

  it("leaves a person's own file as it is", async () => {
    const path = join(temporaryFolder(), "secrets");
    writeByHand(path, PLAIN, "k1\r\n");
    const store = openStore(path);
    expect((await store.observe(PLAIN)).current?.value?.reveal()).toBe("k1");
    expect(tree(path)).toEqual(["payments"]);
    await store.claim(PLAIN, OWNER, { create: false });
    expect(readFileSync(join(path, "payments"), "utf8")).toBe("k1\r\n");
  });
});

describe("git", () => {
  it("is told to ignore the store's own directory, and the .keyturn that it lies in", async () => {
    const folder = temporaryFolder();
    await put(openStore(join(folder, ".keyturn/secrets")), PLAIN, "k1");
    expect(readFileSync(join(folder, ".keyturn/.gitignore"), "utf8")).toBe("*\n");
    expect(readFileSync(join(folder, ".keyturn/secrets/.keyturn/.gitignore"), "utf8")).toBe("*\n");
  });

  it("keeps a .gitignore that is there", async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, ".keyturn"));
    writeFileSync(join(folder, ".keyturn/.gitignore"), "journal.db\n");
    await put(openStore(join(folder, ".keyturn/secrets")), PLAIN, "k1");
    expect(readFileSync(join(folder, ".keyturn/.gitignore"), "utf8")).toBe("journal.db\n");
  });
});

describe("names", () => {
  it.each([
    "",
    "..",
    "../x",
    "a/../b",
    "/etc/passwd",
    "a//b",
    ".hidden",
    "a b",
    "a\\b",
    "a\0",
    "x.json",
    "ü",
  ])("such as %j are refused", async (secret) => {
    const folder = temporaryFolder();
    const store = openStore(join(folder, "secrets"));
    await expect(store.observe({ secret })).rejects.toMatchObject({ code: "unusable" });
    await expect(store.claim({ secret }, OWNER, { create: true })).rejects.toMatchObject({
      code: "unusable",
    });
    expect(tree(folder)).toEqual([]);
  });

  it("that stand in each other's way are said to", async () => {
    const store = openStore(join(temporaryFolder(), "secrets"));
    await put(store, { secret: "a" }, "k1");
    await expect(put(store, { secret: "a/b" }, "k1")).rejects.toMatchObject({ code: "unusable" });
    await put(store, { secret: "c/d" }, "k1");
    await expect(put(store, { secret: "c" }, "k1")).rejects.toMatchObject({ code: "unusable" });
  });

  it("of a plain file and a JSON file of a person's own are not mixed up", async () => {
    const path = join(temporaryFolder(), "secrets");
    writeByHand(path, { secret: "a" }, "k1");
    writeByHand(path, { secret: "b", field: "X" }, '{"X":"k1"}');
    const store = openStore(path);
    await expect(store.observe({ secret: "a", field: "X" })).rejects.toMatchObject({ code: "unusable" });
    await expect(store.observe({ secret: "b" })).rejects.toMatchObject({ code: "unusable" });
  });

  it("give the store a location that tells two of them apart", () => {
    expect(openStore("/srv/a/../secrets/").location).toBe("file:/srv/secrets");
  });
});

describe("symbolic links", () => {
  it("are not followed in place of a consumer's file", async () => {
    const folder = temporaryFolder();
    const path = join(folder, "secrets");
    mkdirSync(path, { mode: 0o700 });
    writeFileSync(join(folder, "elsewhere"), "k1");
    symlinkSync(join(folder, "elsewhere"), join(path, "payments"));
    const store = openStore(path);
    await expect(store.observe(PLAIN)).rejects.toMatchObject({
      code: "unusable",
      message: expect.stringContaining("symbolic link"),
    });
    await expect(put(store, PLAIN, "k2")).rejects.toMatchObject({ code: "unusable" });
    expect(readFileSync(join(folder, "elsewhere"), "utf8")).toBe("k1");
  });

  it("are not followed in place of a record or a directory", async () => {
    const folder = temporaryFolder();
    const path = join(folder, "secrets");
    const store = openStore(path);
    await put(store, PLAIN, "k1");
    mkdirSync(join(folder, "elsewhere"), { mode: 0o700 });
    symlinkSync(join(folder, "elsewhere"), join(path, "prod"));
    await expect(put(store, FIELD, "k1")).rejects.toMatchObject({ code: "unusable" });
    symlinkSync(join(folder, "elsewhere/x"), join(path, ".keyturn/records/other.json"));
    await expect(put(store, { secret: "other" }, "k1")).rejects.toMatchObject({ code: "unusable" });
    expect(readdirSync(join(folder, "elsewhere"))).toEqual([]);
  });

  it("may lead to the store itself", async () => {
    const folder = temporaryFolder();
    const [real, link] = [join(folder, "real"), join(folder, "link")];
    await put(openStore(real), PLAIN, "k1");
    symlinkSync(real, link);
    await put(openStore(link), PLAIN, "k2");
    expect((await openStore(real).observe(PLAIN)).current?.hash).toBe("hash-k2");
  });
});
