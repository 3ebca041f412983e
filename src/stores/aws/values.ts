import { RotationError } from "../../lib/errors.ts";
import { Secret } from "../../lib/secret.ts";
import { type Content, secretIn } from "../content.ts";
import type { SecretRef } from "../store.ts";
import { SETTLE_WAITS_MS } from "./recent.ts";
import type { AwsSecrets } from "./secrets.ts";
import type { Shown } from "./shown.ts";
import { readText } from "./text.ts";

/** What a version holds, as text and as read in the shape that a ref asks for. */
export interface Held {
  text: string;
  content: Content;
  value: Secret | undefined;
}

/**
 * Reads a version that DescribeSecret shows, if this process has not read it lately; waits where its
 * value lags behind. Throws `unusable` for a binary secret or one of another shape, `unclear` when
 * the value does not come.
 */
export async function readShownVersion(
  { calls, clock, contents }: AwsSecrets,
  ref: SecretRef,
  { arn }: Shown,
  version: string,
): Promise<Held> {
  const known = contents.get(ref, version, arn);
  if (known !== undefined) return held({ SecretString: known.reveal() }, ref);
  for (const wait of [...SETTLE_WAITS_MS, 0]) {
    const answer = await calls.get(ref, version);
    if (answer) {
      const found = held(answer, ref);
      contents.keep(ref, version, arn, new Secret(found.text));
      return found;
    }
    await clock.sleep(wait);
  }
  throw new RotationError(
    "unclear",
    `AWS shows version ${version} of secret ${ref.secret}, but not its value`,
    {
      hint: "its value may come a little later; if it never does, remove the version's staging labels",
    },
  );
}

export function held(answer: { SecretString?: string; SecretBinary?: Uint8Array }, ref: SecretRef): Held {
  const text: unknown = answer.SecretString;
  if (typeof text !== "string") {
    throw new RotationError("unusable", `secret ${ref.secret} is binary`, {
      hint: "put its value as text (SecretString), or name another secret",
    });
  }
  const content = readText(text, ref);
  return { text, content, value: secretIn(content, ref) };
}
