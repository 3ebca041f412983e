import { RotationError } from "../lib/errors.ts";
import { Secret } from "../lib/secret.ts";
import { readHidden } from "./ask.ts";
import type { Context } from "./context.ts";
import { EXIT } from "./exit.ts";
import { print, printJson } from "./print.ts";

/** `rotate identify`: says which key of the policy a found plaintext is. It comes by standard input: an argument would show in process lists. */
export async function identify({ engine }: Context, options: { json?: boolean }): Promise<number> {
  const text = (await readHidden("Key (not shown): "))?.trim();
  if (!text) {
    throw new RotationError("usage", "no key was given on standard input", {
      hint: "paste it when asked, or: rotate identify < FILE",
    });
  }
  const fingerprint = new Secret(text).fingerprint();
  const found = await engine.identify(fingerprint);
  if (options.json) printJson({ known: found !== undefined, ...found, fingerprint });
  else if (found) print(`${found.key}: ${found.state}, hash ${found.hash}`);
  else print(`no key of this policy has the fingerprint ${fingerprint}`);
  return found ? EXIT.done : EXIT.failed;
}
