/**
 * The guide's way: create, store, check, delete, on the official SDKs and with no safety at all.
 * What is lost when it is killed, when a reply is lost or when the check fails is nobody's concern here.
 */
import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { SecretsManager } from "@aws-sdk/client-secrets-manager";
import { OpenRouter } from "@openrouter/sdk";

const { OPENROUTER_MANAGEMENT_KEY, OPENROUTER_BASE_URL, SECRET_ID = "", CONSUMER_URL = "" } = process.env;
const openRouter = new OpenRouter({
  apiKey: OPENROUTER_MANAGEMENT_KEY ?? "",
  serverURL: OPENROUTER_BASE_URL ?? "",
});
const secrets = new SecretsManager();

const before = JSON.parse((await secrets.getSecretValue({ SecretId: SECRET_ID })).SecretString ?? "{}");
const created = await openRouter.apiKeys.create({ requestBody: { name: `payments-api ${Date.now()}` } });
await secrets.putSecretValue({
  SecretId: SECRET_ID,
  SecretString: JSON.stringify({
    ...before,
    OPENROUTER_API_KEY: created.key,
    OPENROUTER_HASH: created.data.hash,
  }),
});
const wanted = `sha256:${createHash("sha256").update(created.key).digest("hex")}`;
for (;;) {
  const { keys } = (await (await fetch(CONSUMER_URL)).json()) as {
    keys: Record<string, { serving: string | null }>;
  };
  if (keys["payments-api"]?.serving === wanted) break;
  await sleep(100);
}
if (before.OPENROUTER_HASH) await openRouter.apiKeys.delete({ hash: before.OPENROUTER_HASH });
