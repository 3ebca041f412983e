import { Secret } from "../../src/lib/secret.ts";
import { awsStore } from "../../src/stores/aws/store.ts";
import type { SecretRef, StagedVersion, Store } from "../../src/stores/store.ts";
import { SecretsManagerModel } from "../aws/model.ts";
import { inProcessClient } from "../aws/serve.ts";
import { virtualClock } from "../providers/virtual-clock.ts";
import { AWS_CONFIG } from "./aws-bench.ts";

export const OWNER = { installation: "prod", journal: "j1" };

/** A model of Secrets Manager in virtual time, and stores on it through the real SDK. */
export function awsWorld() {
  const clock = virtualClock();
  const model = new SecretsManagerModel({ clock });
  const random = { bytes: (n: number) => new Uint8Array(n), fraction: () => 0.5 };
  const open = (config = {}) =>
    awsStore("aws", { ...AWS_CONFIG, ...config }, { clock, random, client: inProcessClient(model) });
  const store = open();
  let edits = 0;

  const stage = async (ref: SecretRef, text: string, rotation = "r1", by: Store = store) =>
    by.stage(ref, {
      rotation,
      hash: `hash-${text}`,
      value: new Secret(text),
      base: (await by.observe(ref)).base,
    });

  return {
    clock,
    model,
    store,
    /** Another process's store. */
    open,
    stage,
    /** Claims, stages and promotes. */
    async put(ref: SecretRef, text: string): Promise<StagedVersion> {
      await store.claim(ref, OWNER, { create: true });
      const staged = await stage(ref, text, `put-${text}`);
      await store.promote(ref, staged.version, staged.base);
      return staged;
    },
    /** A person makes the secret, or puts another text into it. */
    edit(
      secret: string,
      content: { SecretString?: string; SecretBinary?: string },
      stages?: string[],
    ): string {
      const ClientRequestToken = `edit-${String(++edits).padStart(32, "0")}`;
      if (model.secret(secret))
        model.perform("PutSecretValue", {
          SecretId: secret,
          ClientRequestToken,
          ...content,
          ...(stages ? { VersionStages: stages } : {}),
        });
      else model.perform("CreateSecret", { Name: secret, ClientRequestToken, ...content });
      return ClientRequestToken;
    },
    /** The actions that `work` calls, in order. */
    async callsOf(work: () => Promise<unknown>): Promise<string[]> {
      const before = model.calls.length;
      await work();
      return model.calls.slice(before).map(({ action }) => action);
    },
    /** The labels of each version, by version id. */
    labels: (secret: string) => {
      const labels: Record<string, string[]> = {};
      for (const [label, version] of Object.entries(model.secret(secret)?.labels ?? {}))
        labels[version] = [...(labels[version] ?? []), label].sort();
      return labels;
    },
  };
}

/** What a call is refused with, as a person reads it. */
export async function refusal(call: Promise<unknown>): Promise<string> {
  const error = await call.then(
    () => undefined,
    (thrown: { code: string; message: string; hint?: string }) => thrown,
  );
  return error ? `${error.code}: ${error.message}${error.hint ? `\n${error.hint}` : ""}` : "no refusal";
}
