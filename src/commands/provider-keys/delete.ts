import { RotationError } from "../../lib/errors.ts";
import { canAsk, confirmed } from "../ask.ts";
import type { Context } from "../context.ts";
import { EXIT } from "../exit.ts";
import { print, printJson } from "../print.ts";
import { plain } from "../render/issued-keys.ts";
import { findKey } from "./find.ts";
import type { HashOptions } from "./get.ts";
import { choose, refuseForeign } from "./provider.ts";
import { refuseInUse, standings } from "./standing.ts";

export interface DeleteOptions extends HashOptions {
  yes?: boolean;
  force?: boolean;
}

/** `rotate keys delete HASH`: for good. Asks first; a key that consumers may use is deleted only with `force`. */
export async function deleteKey(context: Context, given: string, options: DeleteOptions): Promise<number> {
  const provider = choose(context, options.provider);
  refuseForeign(provider, { workspace: options.workspace });
  if (!options.yes && !canAsk()) {
    throw new RotationError("usage", "deleting a key cannot be undone", {
      hint: "there is no terminal to ask on: add --yes if that is meant",
    });
  }
  const { hash, name = "", label } = await findKey(provider, given, options.workspace);
  refuseInUse((await standings(context)).get(hash), hash, { doing: "deleting", force: options.force });
  const title = `key ${hash} (${[name, label].filter(Boolean).map(String).map(plain).join(", ")})`;
  if (!options.yes && !(await confirmed(`Delete ${title} at ${provider.name}?`))) {
    context.screen.print("rotate: nothing was done");
    return EXIT.failed;
  }
  const outcome = await provider.client.delete(hash);
  const gone = outcome === "absent";
  if (options.json) printJson({ provider: provider.name, hash, deleted: true, ...(gone && { gone }) });
  else print(gone ? `${title} was gone already` : `deleted ${title}`);
  return EXIT.done;
}
