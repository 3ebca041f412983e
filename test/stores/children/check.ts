import { writeSync } from "node:fs";
import { systemClock } from "../../../src/lib/clock.ts";
import { systemRandom } from "../../../src/lib/random.ts";
import { fileStore } from "../../../src/stores/file/file-store.ts";

/** Checks the secret `payments` of the store at argv[2] as an ordinary user; prints what failed, as JSON. */
const store = fileStore(
  "local",
  { path: process.argv[2] ?? "", mode: "0600", dirMode: "0700" },
  { clock: systemClock, random: systemRandom },
);
if (process.getuid?.() === 0) {
  process.setgid?.(65534);
  process.setuid?.(65534);
}
const { checks = [] } = (await store.check?.({ secret: "payments" })) ?? {};
const failed = checks
  .filter(({ result }) => result === "failed")
  .map(({ check, says }) => `${check}: ${says}`);
writeSync(1, JSON.stringify(failed));
