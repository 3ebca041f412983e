import type { RotationRecord } from "../../journal/document.ts";
import { asRotationError, isWeather, RotationError } from "../../lib/errors.ts";
import type { Attachment, Attachments } from "../../providers/provider.ts";
import { shortHash } from "../names.ts";
import type { StepContext } from "./context.ts";
import { openRotation } from "./draft.ts";

/**
 * The last step before promotion: what hangs on the old key's hash at the provider is put on the
 * new key and read back. What cannot be read is said and does not stop the rotation; what was read
 * and cannot be put on ends it, since the promoted key would lack a guardrail.
 */
export async function verify(context: StepContext): Promise<void> {
  const rotation = openRotation(context.document);
  const carried = await carry(context, rotation);
  if ("refused" in carried) {
    await context.note(
      "failed",
      { note: "fail", message: carried.refused },
      { message: carried.refused, says: carried.refused },
    );
    return;
  }
  await context.note(
    "verified",
    { note: "verified" },
    {
      message: [context.says, carried.says].filter(Boolean).join("; "),
      data: {
        hash: rotation.new?.hash,
        ...(carried.attachments.length > 0 ? { attachments: carried.attachments } : {}),
      },
    },
  );
}

type Carried = { attachments: Attachment[]; says?: string } | { refused: string };

async function carry(context: StepContext, rotation: RotationRecord): Promise<Carried> {
  const { attachments } = context.provider(rotation.field);
  const fresh = rotation.new?.hash;
  if (
    attachments === undefined ||
    fresh === undefined ||
    rotation.old === undefined ||
    rotation.kind === "rollback"
  )
    return { attachments: [] };
  const found = context.world.attachments[rotation.old.hash]?.value;
  if (found === undefined) throw new RotationError("internal", "what hangs on the old key was not looked at");
  if ("unknown" in found)
    return {
      attachments: [],
      says: `whether guardrails hang on the old key is not known (${found.unknown})`,
    };
  return found.length === 0 ? { attachments: [] } : await putOn(attachments, fresh, found);
}

async function putOn(attachments: Attachments, hash: string, found: Attachment[]): Promise<Carried> {
  const names = found.map(({ kind, id }) => `${kind} ${id}`).join(", ");
  try {
    await attachments.put(hash, found);
    const seen = await attachments.read(hash);
    const missing = found.filter(({ kind, id }) => !seen.some((one) => one.kind === kind && one.id === id));
    if (missing.length === 0) return { attachments: found, says: `${names} carried over` };
    return {
      refused: `${missing.map(({ kind, id }) => `${kind} ${id}`).join(", ")} of the old key cannot be seen on key ${shortHash(hash)}`,
    };
  } catch (thrown) {
    const error = asRotationError(thrown);
    if (isWeather(error)) throw error;
    const hint = error.hint ? `; ${error.hint}` : "";
    return { refused: `${names} of the old key cannot be put on the new one: ${error.message}${hint}` };
  }
}
