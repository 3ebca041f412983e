import type { Context } from "../context.ts";
import { EXIT } from "../exit.ts";
import { print, printJson } from "../print.ts";
import { renderIssuedKeys } from "../render/issued-keys.ts";
import { keyJson } from "./json.ts";
import type { ProviderOptions } from "./options.ts";
import { choose, refuseForeign } from "./provider.ts";
import { standings } from "./standing.ts";

export interface ListOptions extends ProviderOptions {
  workspace?: string[];
  includeDisabled?: boolean;
  /** Part of the name. */
  name?: string;
}

/** `rotate keys list`: every key of the account, newest first. */
export async function list(context: Context, options: ListOptions): Promise<number> {
  const provider = choose(context, options.provider);
  const { workspace = [], includeDisabled = false } = options;
  refuseForeign(provider, { workspace: options.workspace });
  const wanted = options.name?.toLowerCase() ?? "";
  const all = await provider.client.list([...provider.workspaces, ...workspace]);
  const named = all.filter(({ name = "" }) => name.toLowerCase().includes(wanted));
  const keys = named
    .filter(({ disabled }) => includeDisabled || disabled !== true)
    .sort((a, b) => (b.createdAt ?? "").localeCompare(a.createdAt ?? ""));
  const places = await standings(context);
  if (options.json) {
    printJson({ provider: provider.name, keys: keys.map((key) => keyJson(key, places.get(key.hash))) });
    return EXIT.done;
  }
  print(
    keys.length === 0 ? nothing(provider.name, options.name) : renderIssuedKeys(keys, places, context.style),
  );
  const hidden = named.length - keys.length;
  if (hidden > 0) {
    const what = hidden === 1 ? "1 disabled key is" : `${hidden} disabled keys are`;
    context.screen.print(`rotate: ${what} not shown; --include-disabled shows them too`);
  }
  return EXIT.done;
}

function nothing(provider: string, name: string | undefined): string {
  return name === undefined
    ? `no keys at ${provider}`
    : `no key at ${provider} has ${JSON.stringify(name)} in its name`;
}
