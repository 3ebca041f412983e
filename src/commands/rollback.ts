import type { Context } from "./context.ts";
import { keyOf } from "./keys.ts";
import { requestAndFollow } from "./request.ts";

/** `rotate rollback KEY`: puts the previous key back and waits for the consumers as a rotation does. */
export async function rollback(
  context: Context,
  name: string,
  options: { deadline: number; json?: boolean },
): Promise<number> {
  const key = keyOf(context.policy, name).name;
  return await requestAndFollow(context, [key], [{ kind: "rollback" }], {
    ...options,
    until: "completed",
    asked: "reverted",
  });
}
