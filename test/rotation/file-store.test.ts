import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { fileStore } from "../../src/stores/file/file-store.ts";
import { FIELD, hashOf, scenario } from "./scenario.ts";

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

test("R16: a rotation over real files: the consumer file always holds a whole, valid key and every other field", async () => {
  const folder = await mkdtemp(join(tmpdir(), "keyturn-rotation-"));
  folders.push(folder);
  const path = join(folder, "secrets");
  const file = join(path, "payments.json");
  const world = await scenario();
  const store = fileStore("local", { path, mode: "0600", dirMode: "0700" }, world);
  await mkdir(path, { mode: 0o700 });
  await writeFile(file, JSON.stringify(world.file()), { mode: 0o600 });
  const first = world.current();

  const seen = new Set<string>();
  const process = world.process({
    store,
    before: async () => {
      const text = await readFile(file, "utf8");
      const object = JSON.parse(text) as Record<string, string>;
      expect(object.OTHER).toBe("kept");
      seen.add(object[FIELD] as string);
      world.write(object);
    },
  });
  const result = await process.now();
  expect(result).toMatchObject({
    outcome: "deleted",
    oldHash: hashOf(first),
    newHash: hashOf(world.current()),
  });
  expect([...seen]).toEqual([first, world.current()]);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(await readFile(join(path, ".keyturn", "records", "payments.json"), "utf8")).not.toContain(first);
  expect(world.violations).toEqual([]);
});
