import { openSqliteJournal } from "../../src/journal/sqlite/open.ts";
import { systemClock } from "../../src/lib/clock.ts";
import type { RotationError } from "../../src/lib/errors.ts";
import { systemRandom } from "../../src/lib/random.ts";

/** Opens the journal named by the first argument as an unprivileged user; prints the error's code and hint as JSON. */
process.setgroups?.([]);
process.setgid?.(65534);
process.setuid?.(65534);
const outcome = await openSqliteJournal(process.argv[2] ?? "", {
  clock: systemClock,
  random: systemRandom,
}).then(
  () => ({}),
  ({ code, hint, message }: RotationError) => ({ code, hint, message }),
);
process.stdout.write(JSON.stringify(outcome));
