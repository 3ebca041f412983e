import { execFileSync } from "node:child_process";
import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Store } from "../../src/stores/store.ts";
import { openStore, put, temporaryFolder } from "./file-bench.ts";

const PLAIN = { secret: "payments" };

/** Each check as `name result`. */
async function results(store: Store, ref: { secret: string; field?: string } = PLAIN): Promise<string[]> {
  const { checks = [] } = (await store.check?.(ref)) ?? {};
  return checks.map(({ check, result }) => `${check} ${result}`);
}

/** What an ordinary user is told that it may not do. */
function failuresOfNobody(path: string): string[] {
  const script = join(import.meta.dirname, "children/check.ts");
  const args = ["--no-warnings", script, path];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: "utf8" }));
}

/** Every file and directory with its mode, its text and when it was last written. */
function state(folder: string): unknown[] {
  return [
    folder,
    ...readdirSync(folder, { recursive: true, encoding: "utf8" }).map((name) => join(folder, name)),
  ]
    .sort()
    .map((path) => {
      const { mode, mtimeMs, ctimeMs } = statSync(path);
      return {
        path,
        mode,
        mtimeMs,
        ctimeMs,
        text: statSync(path).isFile() ? readFileSync(path, "utf8") : "",
      };
    });
}

describe("checking a store in files", () => {
  it("makes nothing where nothing is yet", async () => {
    const folder = temporaryFolder();
    const before = state(folder);
    const store = openStore(join(folder, "a/secrets"));
    expect(await results(store)).toEqual(["directory passed", "disk passed", "lock passed", "files passed"]);
    expect((await store.check?.(PLAIN))?.found).toMatchObject({
      exists: false,
      view: { current: undefined },
    });
    expect(state(folder)).toEqual(before);
  });

  it("finishes and tidies nothing that a process which died has left", async () => {
    const folder = temporaryFolder();
    const path = join(folder, "secrets");
    await put(openStore(path), PLAIN, "k1");
    const old = readFileSync(join(path, "payments"), "utf8");
    await put(openStore(path), PLAIN, "k2");
    // The record is the new one, and what consumers read is still the old.
    writeFileSync(join(path, "payments"), old);
    writeFileSync(join(path, ".keyturn-0123abcd.tmp"), "left");
    const before = state(path);
    const { found } = (await openStore(path).check?.(PLAIN)) ?? {};
    expect(found?.view.current?.value?.reveal()).toBe("k2");
    expect(state(path)).toEqual(before);
  });

  it("tells a secret of another shape, and a name that no secret can have", async () => {
    const path = join(temporaryFolder(), "secrets");
    await put(openStore(path), PLAIN, "k1");
    expect(await results(openStore(path), { ...PLAIN, field: "KEY" })).toContain("secret failed");
    expect(await results(openStore(path), { secret: "../up" })).toContain("files failed");
  });

  it("tells an ordinary user what it may not write", async () => {
    const folder = temporaryFolder();
    const path = join(folder, "secrets");
    chmodSync(folder, 0o555);
    expect(failuresOfNobody(path)).toEqual([`directory: ${folder}: permission denied`]);
    chmodSync(folder, 0o755);
    await put(openStore(path), PLAIN, "k1");
    chmodSync(path, 0o500);
    expect(failuresOfNobody(path).join()).toContain(`permission denied`);
    chmodSync(path, 0o700);
  });
});
