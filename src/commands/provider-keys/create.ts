import { asRotationError, mayHaveHappened, RotationError } from "../../lib/errors.ts";
import type { KeySettings } from "../../providers/provider.ts";
import { settingsThatDiffer } from "../../rotation/settings.ts";
import type { Context } from "../context.ts";
import { EXIT } from "../exit.ts";
import { print, printJson } from "../print.ts";
import { plain } from "../render/issued-keys.ts";
import { type DestinationOptions, destinationOf, refuseTaken } from "./destination.ts";
import { keyJson } from "./json.ts";
import { keep } from "./keep.ts";
import type { ProviderOptions, SettingOptions } from "./options.ts";
import { type Chosen, choose, refuseForeign, refuseOurName, settingsOf } from "./provider.ts";

export type CreateOptions = ProviderOptions & SettingOptions & DestinationOptions;

/** `rotate keys create NAME`: the key goes to standard output, alone, or into a store. */
export async function create(context: Context, name: string, options: CreateOptions): Promise<number> {
  const { policy, journal, screen, clock } = context;
  const provider = choose(context, options.provider);
  refuseForeign(provider, options);
  refuseOurName(name);
  const settings = settingsOf(options, clock.now());
  const destination = destinationOf(context, options);
  if (destination) {
    await refuseTaken(context, destination);
    const owner = { installation: policy.installation, journal: journal.id };
    // Before the key is made: a store that cannot be written must not cost one.
    await destination.store.claim(destination.ref, owner, { create: true });
  }

  const { key, issued } = await issue(provider, name, settings);
  const { hash } = issued;
  const shown = { provider: provider.name, key: keyJson(issued, undefined) };
  const title = `key ${hash}${issued.label ? ` (${plain(issued.label)})` : ""}`;
  if (destination) {
    const version = await keep(context, destination, provider.client, { hash, key });
    const { store, ref } = destination;
    if (options.json) printJson({ ...shown, stored: { store: store.name, ...ref, version } });
    else print(`created ${title} and put it into ${destination.title} (version ${version})`);
  } else {
    // Standard output first, and nothing else on it: this is the only time the key is seen.
    if (options.json) printJson({ ...shown, plaintext: key.reveal() });
    else print(key.reveal());
    screen.print(`rotate: created ${title}; the key itself is not shown again`);
  }
  for (const line of settingsThatDiffer(settings, issued)) screen.print(`rotate: ${line}`);
  return EXIT.done;
}

/** Sent once. Where it may have happened unseen, the error says how to find out. */
async function issue({ name: provider, client }: Chosen, name: string, settings: KeySettings) {
  try {
    return await client.create(name, settings);
  } catch (thrown) {
    const error = asRotationError(thrown);
    if (!mayHaveHappened(error)) throw error;
    throw new RotationError(error.code, `${error.message}; a key of that name may exist at ${provider} now`, {
      hint: `its plaintext is lost: find it with \`rotate keys list --include-disabled --name ${shellWord(name)}\` and delete it${error.hint ? `; ${error.hint}` : ""}`,
      cause: error,
    });
  }
}

/** A word as a person can paste it into a shell. */
function shellWord(text: string): string {
  return /^[\w./:@-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
