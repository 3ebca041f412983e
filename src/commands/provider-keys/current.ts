import { RotationError } from "../../lib/errors.ts";
import { Secret } from "../../lib/secret.ts";
import { readHidden } from "../ask.ts";
import type { Context } from "../context.ts";
import { EXIT } from "../exit.ts";
import { print, printJson } from "../print.ts";
import { renderFields } from "../render/issued-keys.ts";
import type { ProviderOptions } from "./options.ts";
import { choose } from "./provider.ts";

/** `rotate keys current`: what the provider says of a key that is read from standard input. */
export async function current(context: Context, options: ProviderOptions): Promise<number> {
  const provider = choose(context, options.provider);
  const key = await readKey();
  const answer = await provider.client.current(key);
  const fingerprint = key.fingerprint();
  const found = await context.engine.identify(fingerprint);
  const place = found && { key: found.key, state: found.state };
  if (options.json) {
    const policyKey = place && { policyKey: place };
    printJson({ provider: provider.name, ...answer, fingerprint, ...policyKey });
  } else if (answer.accepted) {
    print(renderFields(answer.key.raw, place, context.style));
  } else {
    const whose = place ? `; it is of ${place.key} (${place.state})` : "";
    print(`${provider.name} does not accept this key: disabled, deleted, expired or never issued${whose}`);
  }
  return answer.accepted ? EXIT.done : EXIT.failed;
}

async function readKey(): Promise<Secret> {
  const text = (await readHidden("Key (not shown): "))?.trim();
  const hint = "paste it when asked, or: rotate keys current < FILE";
  if (!text) throw new RotationError("usage", "no key was given on standard input", { hint });
  if (!/^[\x21-\x7e]+$/.test(text)) {
    throw new RotationError("usage", "what was given on standard input is not one key", { hint });
  }
  return new Secret(text);
}
