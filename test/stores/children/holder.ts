import { systemClock } from "../../../src/lib/clock.ts";
import { systemRandom } from "../../../src/lib/random.ts";
import { withLock } from "../../../src/stores/file/lock.ts";

/** Takes the lock named on the command line, says so, and never lets go. */
await withLock(process.argv[2] ?? "", { clock: systemClock, random: systemRandom }, () => {
  process.send?.("held", () => {});
  setImmediate(() => {});
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
});
