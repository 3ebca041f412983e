import type { SecretsManager } from "@aws-sdk/client-secrets-manager";
import { type KubeObject, type KubeSend, SECRETS } from "../../src/kubernetes/api.ts";

import { kubeApi } from "../../src/kubernetes/kube-api.ts";
import { awsStore } from "../../src/stores/aws/store.ts";
import { kubernetesStore } from "../../src/stores/kubernetes/store.ts";
import { memoryStore } from "../../src/stores/memory.ts";
import type { Store } from "../../src/stores/store.ts";
import { SecretsManagerModel } from "../aws/model.ts";
import { inProcessClient } from "../aws/serve.ts";
import { KubeModel } from "../kubernetes/model/kube-model.ts";
import { AWS_CONFIG } from "../stores/aws-bench.ts";
import { FIELD, type Scenario, scenario } from "./scenario.ts";

/** A world whose secret is in a store of some kind. */
export interface StoredWorld {
  world: Scenario;
  /** A handle on the secret's store as one more process would have it; in AWS, `before` runs before each of its calls. */
  store(before?: (call: string, input: object) => Promise<void>): Store;
}

export const REF = { secret: "payments", field: FIELD };
const KEY = { store: { use: "local", ...REF, create: true } };

export async function inMemory(options: Parameters<typeof scenario>[0]): Promise<StoredWorld> {
  const world = await scenario({ ...options, key: { ...KEY, ...options?.key } });
  return { world, store: () => memoryStore("local", world) };
}

/** The rotation's world with the secret in AWS, which consumers read there. */
export async function inAws(options: Parameters<typeof scenario>[0]): Promise<StoredWorld> {
  const world = await scenario({ ...options, key: { ...KEY, ...options?.key } });
  const aws = new SecretsManagerModel({ clock: world.clock });
  const SecretString = world.backing.get("payments")?.text;
  if (SecretString !== undefined)
    aws.perform("CreateSecret", {
      Name: "payments",
      ClientRequestToken: "edit-".padEnd(36, "0"),
      SecretString,
    });
  const perform = aws.perform.bind(aws);
  aws.perform = (action, input) => {
    const answer = perform(action, input);
    const text = aws.current("payments");
    if (text !== undefined) world.backing.set("payments", { text });
    return answer;
  };
  return {
    world,
    store: (before) => {
      const client = inProcessClient(aws);
      return awsStore("local", AWS_CONFIG, {
        clock: world.clock,
        random: world.random,
        client: before ? preceded(client, before) : client,
      });
    },
  };
}

function preceded(client: SecretsManager, before: (call: string, input: object) => Promise<void>) {
  return new Proxy(client, {
    get(inner, name) {
      const value = Reflect.get(inner, name) as unknown;
      if (typeof value !== "function") return value;
      return async (input: object) => {
        await before(String(name), input);
        return (await value.call(inner, input)) as unknown;
      };
    },
  });
}

/** The rotation's world with the secret in Kubernetes, which consumers read there. `before` runs before each call of the API server. */
export async function inKubernetes(options: Parameters<typeof scenario>[0]) {
  const store = { ...KEY.store, use: "cluster" };
  const world = await scenario({ existing: false, ...options, key: { store, ...options?.key } });
  const { clock, random } = world;
  const model = new KubeModel({ clock });
  const held = () => {
    const secret = model.find<KubeObject & { data?: Record<string, string> }>(SECRETS, "shop", REF.secret);
    return Buffer.from(secret?.data?.[FIELD] ?? "", "base64").toString();
  };
  model.interpose(async (_, inner) => {
    const answer = await inner();
    if (held() !== "") world.backing.set(REF.secret, { text: JSON.stringify({ [FIELD]: held() }) });
    return answer;
  });
  const open = (before: (call: string) => Promise<void> = async () => {}): Store => {
    const send: KubeSend = async (request) => {
      await before(`${request.method} ${request.path.split("/").at(-1)}`);
      return await model.send(request);
    };
    const kube = kubeApi(async () => ({ send, namespace: "shop", name: "model" }), { clock, random });
    return kubernetesStore("cluster", { type: "kubernetes", namespace: "shop" }, { kube, clock, random });
  };
  /** A person puts a value into the Secret's field. */
  const edit = (value: string) => {
    const secret = model.find<KubeObject & { data?: Record<string, string> }>(SECRETS, "shop", REF.secret);
    const data = { ...secret?.data, [FIELD]: Buffer.from(value).toString("base64") };
    model.put(
      SECRETS,
      "shop",
      { ...secret, metadata: { name: REF.secret, ...secret?.metadata }, data } as KubeObject,
      "kubectl",
    );
    world.backing.set(REF.secret, { text: JSON.stringify({ [FIELD]: value }) });
  };
  return { world, store: open, edit };
}

export type MakeWorld = typeof inMemory;
export const PLACES = [
  ["in memory", inMemory],
  ["in AWS", inAws],
] as const;
