import type { SecretsManager } from "@aws-sdk/client-secrets-manager";
import type { Exhibit } from "../../src/commands/render/proof.ts";

const CURRENT = "AWSCURRENT";
/** keyturn's labels; the one that names the key held by a version stays on what is current. */
const OURS = "KEYTURN-";
const HOLDS = "KEYTURN-holds:";
const OWNER_TAGS = ["keyturn:installation", "keyturn:journal"];

/**
 * What AWS shows of a secret after a rotation whose old key is deleted: one version is current, all
 * others have none of keyturn's labels, the owner's tags stand, and the fields in `kept` are as
 * they were.
 */
export async function exhibitSecret(
  client: SecretsManager,
  SecretId: string,
  kept: Record<string, string>,
): Promise<Exhibit> {
  const { VersionIdsToStages = {}, Tags = [] } = await client.describeSecret({ SecretId });
  const { SecretString = "{}" } = await client.getSecretValue({ SecretId });
  const content: Record<string, unknown> = JSON.parse(SecretString);
  const tags = Object.fromEntries(Tags.map(({ Key = "", Value = "" }) => [Key, Value]));
  const versions = Object.entries(VersionIdsToStages)
    .map(([id, stages]) => ({ id, stages: stages.toSorted() }))
    .sort((a, b) => Number(b.stages.includes(CURRENT)) - Number(a.stages.includes(CURRENT)));
  const [current, ...others] = versions;
  const fields = Object.entries(kept).filter(([name, value]) => content[name] === value);

  return {
    holds:
      current?.stages.includes(CURRENT) === true &&
      current.stages.every((stage) => stage === CURRENT || stage.startsWith(HOLDS)) &&
      others.every(({ stages }) => !stages.some((stage) => stage === CURRENT || stage.startsWith(OURS))) &&
      OWNER_TAGS.every((name) => tags[name] !== undefined) &&
      fields.length === Object.keys(kept).length,
    rows: [
      {
        cells: [
          "  secret",
          `${SecretId}, kept by ${OWNER_TAGS.map((name) => `${name}=${tags[name] ?? "nobody"}`).join(" ")}`,
        ],
      },
      {
        cells: ["  fields", `${fields.map(([name]) => name).join(", ") || "none"} as before, beside the key`],
      },
      ...versions.map(({ id, stages }, i) => ({
        cells: [i === 0 ? "  versions" : "", `${id}: ${stages.map(shortened).join(", ")}`],
      })),
    ],
    json: { secret: { id: SecretId, tags, versions, kept: fields.map(([name]) => name) } },
  };
}

function shortened(stage: string): string {
  return stage.length > 40 ? `${stage.slice(0, 34)}…` : stage;
}
