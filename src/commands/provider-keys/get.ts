import type { Context } from "../context.ts";
import { EXIT } from "../exit.ts";
import { print, printJson } from "../print.ts";
import { renderFields } from "../render/issued-keys.ts";
import { findKey } from "./find.ts";
import { keyJson } from "./json.ts";
import type { ProviderOptions } from "./options.ts";
import { choose, refuseForeign } from "./provider.ts";
import { standings } from "./standing.ts";

export interface HashOptions extends ProviderOptions {
  workspace?: string[];
}

/** `rotate keys get HASH`: every field of a key. */
export async function get(context: Context, hash: string, options: HashOptions): Promise<number> {
  const provider = choose(context, options.provider);
  refuseForeign(provider, { workspace: options.workspace });
  const key = await findKey(provider, hash, options.workspace);
  const standing = (await standings(context)).get(key.hash);
  if (options.json) printJson({ provider: provider.name, key: keyJson(key, standing) });
  else print(renderFields(key.raw, standing, context.style));
  return EXIT.done;
}
