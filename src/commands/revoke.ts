import { RotationError } from "../lib/errors.ts";
import { canAsk, confirmed } from "./ask.ts";
import type { Context } from "./context.ts";
import { EXIT } from "./exit.ts";
import { keyOf } from "./keys.ts";
import { requestAndFollow } from "./request.ts";

export interface RevokeOptions {
  deadline: number;
  immediately?: boolean;
  yes?: boolean;
  json?: boolean;
}

/** `rotate revoke KEY`: a leaked key; everything issued before now is replaced and deleted. Asks first. */
export async function revoke(context: Context, name: string, options: RevokeOptions): Promise<number> {
  const { policy, screen } = context;
  const key = keyOf(policy, name).name;
  const { immediately } = options;
  if (!options.yes) {
    if (!canAsk()) {
      throw new RotationError(
        "usage",
        `revoking ${key} deletes its keys even where a consumer has not confirmed`,
        {
          hint: "there is no terminal to ask on: add --yes if that is meant",
        },
      );
    }
    screen.print(
      immediately
        ? `Every key of ${key} issued before now is deleted first; its consumers fail until they serve the replacement.`
        : `Every key of ${key} issued before now is replaced and deleted, even where a consumer has not confirmed.`,
    );
    if (!(await confirmed(`Revoke ${key}?`))) {
      screen.print("rotate: nothing was done");
      return EXIT.failed;
    }
  }
  return await requestAndFollow(context, [key], [{ kind: "revoke", immediately }], {
    ...options,
    until: "deleted",
  });
}
