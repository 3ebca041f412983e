import { z } from "zod";
import { RotationError } from "../../lib/errors.ts";
import { isObject, parseJson } from "../content.ts";
import { COMPANION_OF, companionName } from "./names.ts";
import { annotationOf, assertSize, type KubeSecret, own, withAnnotations } from "./secret-object.ts";

/** The format that this version of keyturn writes, and the entry that it stands in. */
const FORMAT = 1;
const ENTRY = "versions.json";

/** Which key stands in an entry, wherever the entry has that fingerprint. */
const markSchema = z.strictObject({ hash: z.string(), fingerprint: z.string() });
export type KeyMark = z.output<typeof markSchema>;
export const marksSchema = z.record(z.string(), markSchema);
/** By entry. */
export type KeyMarks = z.output<typeof marksSchema>;

const versionSchema = z.strictObject({
  id: z.string().min(1),
  /** Plaintexts by entry: of a staged version the one it is for, of an earlier one those that were replaced. */
  values: z.record(z.string(), z.string()),
  /** The keys that stood in the version, those of other entries too. */
  keys: marksSchema,
  /** On a version that was never current: the rotation it is of, the entry it is for, and what it was staged upon. */
  staged: z.strictObject({ rotation: z.string(), field: z.string(), base: z.string() }).optional(),
});
const recordSchema = z.strictObject({
  format: z.literal(FORMAT),
  secret: z.string(),
  versions: z.array(versionSchema),
});

/** A version that is not current: staged, or current before. Never changed in place. */
export type KeptVersion = Readonly<z.output<typeof versionSchema>>;

/** What a companion holds; nothing when there is none, or it is empty. Throws RotationError `unusable` or `newer-version`: damage is never taken for nothing. */
export function versionsIn(companion: KubeSecret | undefined, secret: string): readonly KeptVersion[] {
  if (companion === undefined) return [];
  refuseOthers(companion, secret);
  const base64 = own(companion.data, ENTRY);
  if (base64 === undefined) return [];
  const { name } = companion.metadata;
  let parsed: unknown;
  try {
    parsed = parseJson(Buffer.from(base64, "base64").toString());
  } catch {
    throw damaged(name, "it is not JSON");
  }
  if (isObject(parsed) && typeof parsed.format === "number" && parsed.format > FORMAT) {
    throw new RotationError("newer-version", `Secret ${name} was written by a newer version of keyturn`, {
      hint: "run that version, or a later one",
    });
  }
  const result = recordSchema.safeParse(parsed);
  if (!result.success)
    throw damaged(name, `${result.error.issues[0]?.path.join(".")} is not what it should be`);
  if (result.data.secret !== secret) throw damaged(name, `it is of another Secret, ${result.data.secret}`);
  return result.data.versions;
}

/** The companion with these versions; with none of them it is empty. */
export function withVersions(
  companion: KubeSecret,
  secret: string,
  versions: readonly KeptVersion[],
): KubeSecret {
  const { [ENTRY]: _, ...others } = companion.data ?? {};
  const text = JSON.stringify({ format: FORMAT, secret, versions });
  const data = versions.length === 0 ? others : { ...others, [ENTRY]: Buffer.from(text).toString("base64") };
  const written = withAnnotations({ ...companion, data }, { [COMPANION_OF]: secret });
  assertSize(written);
  return written;
}

/** An empty companion, as it is created. */
export function newCompanion(secret: string): KubeSecret {
  return {
    metadata: {
      name: companionName(secret),
      labels: { "app.kubernetes.io/managed-by": "keyturn" },
      annotations: { [COMPANION_OF]: secret },
    },
    type: "Opaque",
  };
}

/** A Secret of that name which somebody else fills is not touched. */
function refuseOthers(companion: KubeSecret, secret: string): void {
  const { name, deletionTimestamp } = companion.metadata;
  const refuse = (what: string, hint: string) =>
    new RotationError("unusable", `Secret ${name}, in which keyturn keeps values of ${secret}, ${what}`, {
      hint,
    });
  const isOurs =
    annotationOf(companion, COMPANION_OF) === secret || Object.keys(companion.data ?? {}).length === 0;
  if (!isOurs) throw refuse("is somebody else's", "free that name, or rename the Secret of the key");
  if (deletionTimestamp !== undefined)
    throw refuse("is being deleted", "wait until it is gone, and see what its finalizers wait for");
  if (companion.immutable) throw refuse("is immutable", "make it again without immutable: true, and empty");
}

function damaged(name: string, why: string): RotationError {
  return new RotationError("unusable", `Secret ${name} is damaged: ${why}`, {
    hint: `restore it from a backup; or empty it (remove its entry ${ENTRY}), then pending and previous values are lost, and what the consumers use stays`,
  });
}
