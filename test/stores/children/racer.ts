import { systemClock } from "../../../src/lib/clock.ts";
import { asRotationError } from "../../../src/lib/errors.ts";
import { systemRandom } from "../../../src/lib/random.ts";
import { Secret } from "../../../src/lib/secret.ts";
import { fileStore } from "../../../src/stores/file/file-store.ts";

/** Stages, and upon "go" promotes, what the parent sends; answers with `staged`, then `won` or an error's code. */

const [path = "", name = ""] = process.argv.slice(2);
const ref = { secret: "shared", field: "LLM_KEY" };
const store = fileStore(
  "local",
  { path, mode: "0600", dirMode: "0700" },
  { clock: systemClock, random: systemRandom },
);
let staged: { version: string; base: string } | undefined;

async function answer(message: { stage?: { base: string; round: number } }): Promise<string> {
  if (message.stage) {
    const { base, round } = message.stage;
    const value = new Secret(`${name}-${round}`);
    staged = await store.stage(ref, { rotation: value.reveal(), hash: value.reveal(), value, base });
    return "staged";
  }
  await store.promote(ref, staged?.version ?? "", staged?.base ?? "");
  return "won";
}

process.on("message", (message: { stage?: { base: string; round: number } }) => {
  answer(message)
    .catch((thrown) => asRotationError(thrown).code)
    .then((reply) => process.send?.(reply));
});
process.send?.("ready");
