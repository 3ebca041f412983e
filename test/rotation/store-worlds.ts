import type { SecretsManager } from "@aws-sdk/client-secrets-manager";
import { awsStore } from "../../src/stores/aws/store.ts";
import { memoryStore } from "../../src/stores/memory.ts";
import type { Store } from "../../src/stores/store.ts";
import { SecretsManagerModel } from "../aws/model.ts";
import { inProcessClient } from "../aws/serve.ts";
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

export type MakeWorld = typeof inMemory;
export const PLACES = [
  ["in memory", inMemory],
  ["in AWS", inAws],
] as const;
