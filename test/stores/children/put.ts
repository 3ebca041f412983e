import { writeSync } from "node:fs";
import { systemClock } from "../../../src/lib/clock.ts";
import { asRotationError } from "../../../src/lib/errors.ts";
import { systemRandom } from "../../../src/lib/random.ts";
import { Secret } from "../../../src/lib/secret.ts";
import { fileStore } from "../../../src/stores/file/file-store.ts";

/**
 * Does one thing to the secret `payments` of the store at argv[2], as an ordinary user when
 * argv[3] is `nobody`; prints the error it met as JSON, or null.
 */
const [path = "", user = "", action = "", ...rest] = process.argv.slice(2);
const ref = { secret: "payments" };
const store = fileStore(
  "local",
  { path, mode: "0600", dirMode: "0700" },
  { clock: systemClock, random: systemRandom },
);
if (user === "nobody" && process.getuid?.() === 0) {
  process.setgid?.(65534);
  process.setuid?.(65534);
}

const actions: Record<string, () => Promise<unknown>> = {
  observe: () => store.observe(ref),
  claim: () => store.claim(ref, { installation: "prod", journal: "j1" }, { create: true }),
  stage: () => {
    const value = new Secret("k".repeat(Number(rest[0])));
    return store.stage(ref, { rotation: "big", hash: "big", value, base: rest[1] ?? "" });
  },
  promote: () => store.promote(ref, rest[0] ?? "", rest[1] ?? ""),
};
const error = await actions[action]?.().then(
  () => null,
  (thrown) => asRotationError(thrown),
);
writeSync(1, JSON.stringify(error && { code: error.code, message: error.message, hint: error.hint }));
