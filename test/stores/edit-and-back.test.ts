import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { systemRandom } from "../../src/lib/random.ts";
import { Secret } from "../../src/lib/secret.ts";
import { fileStore } from "../../src/stores/file/file-store.ts";
import { type MemoryBacking, memoryStore } from "../../src/stores/memory.ts";
import type { Store } from "../../src/stores/store.ts";
import { virtualClock } from "../providers/virtual-clock.ts";

const REF = { secret: "payments" };

function inMemory() {
  const backing: MemoryBacking = new Map();
  const write = (text: string) => backing.set("payments", { ...backing.get("payments"), text });
  return { open: () => memoryStore("local", { clock: virtualClock(), backing }), write };
}

function inFiles() {
  const path = mkdtempSync(join(tmpdir(), "keyturn-"));
  onTestFinished(() => rmSync(path, { recursive: true }));
  const parts = { clock: virtualClock(), random: systemRandom };
  const open = (): Store => fileStore("local", { path, mode: "0600", dirMode: "0700" }, parts);
  return { open, write: (text: string) => writeFileSync(join(path, "payments"), text, { mode: 0o600 }) };
}

test.each([
  ["in memory", inMemory],
  ["in files", inFiles],
])(
  "%s: after an edit that was seen, the value before the last promotion is an edit too and no promotion cut short",
  async (_, make) => {
    const { open, write } = make();
    write("first");
    const { base } = await open().observe(REF);
    const value = new Secret("second");
    const staged = await open().stage(REF, { rotation: "r1", hash: "h2", value, base });
    await open().promote(REF, staged.version, base);
    write("by hand");
    expect((await open().observe(REF)).current?.value?.reveal()).toBe("by hand");
    write("first");
    expect((await open().observe(REF)).current?.value?.reveal()).toBe("first");
  },
);
