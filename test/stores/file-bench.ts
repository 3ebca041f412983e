import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";
import { type Clock, systemClock } from "../../src/lib/clock.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { Secret } from "../../src/lib/secret.ts";
import { fileStore } from "../../src/stores/file/file-store.ts";
import type { SecretRef, StagedVersion, Store } from "../../src/stores/store.ts";

export const OWNER = { installation: "prod", journal: "j1" };

/** An empty directory that goes with the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "keyturn-store-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function openStore(
  path: string,
  options: { mode?: string; dirMode?: string; clock?: Clock } = {},
): Store {
  const { mode = "0600", dirMode = "0700", clock = systemClock } = options;
  return fileStore("local", { path, mode, dirMode }, { clock, random: systemRandom });
}

/** Claims, stages and promotes. */
export async function put(store: Store, ref: SecretRef, value: string): Promise<StagedVersion> {
  await store.claim(ref, OWNER, { create: true });
  const { base } = await store.observe(ref);
  const request = { rotation: `put-${value}`, hash: `hash-${value}`, value: new Secret(value), base };
  const staged = await store.stage(ref, request);
  await store.promote(ref, staged.version, staged.base);
  return staged;
}

/** The file that consumers read. */
export function consumerFile(path: string, ref: SecretRef): string {
  return join(path, ref.field === undefined ? ref.secret : `${ref.secret}.json`);
}

/** A person writes the file that consumers read, making the directory as a careful person does. */
export function writeByHand(path: string, ref: SecretRef, text: string): void {
  const file = consumerFile(path, ref);
  for (const directory of [path, dirname(file)]) {
    if (existsSync(directory)) continue;
    mkdirSync(directory, { recursive: true });
    chmodSync(directory, 0o700);
  }
  writeFileSync(file, text, { mode: 0o600 });
}

export function editByHand(path: string, ref: SecretRef, value: string): void {
  const file = consumerFile(path, ref);
  const fields = ref.field !== undefined && existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {};
  writeByHand(
    path,
    ref,
    ref.field === undefined ? `${value}\n` : JSON.stringify({ ...fields, [ref.field]: value }),
  );
}
