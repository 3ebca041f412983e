import type { Secret } from "../../lib/secret.ts";
import type { SecretSource } from "../../lib/secret-source.ts";
import type { Hints } from "../answer.ts";
import { connect, isSuccess, type ProviderConfig, type ProviderParts } from "../connection.ts";
import { issuerOf, placeOf } from "../issuer.ts";
import { keyCalls } from "../key-calls.ts";
import type { IssuedKey, Provider } from "../provider.ts";
import { shareWalk } from "../share-walk.ts";
import { walk } from "../walk.ts";
import { openRouterClient } from "./client.ts";
import { guardrails } from "./guardrails.ts";
import { readCurrentKey, readIssuedKey, readPage } from "./read.ts";
import { uncarried } from "./uncarried.ts";

export type OpenRouterConfig = ProviderConfig;
export type { ProviderParts } from "../connection.ts";

const BASE_URL = "https://openrouter.ai/api/v1";

/** OpenRouter as a Provider. `name` is its name in the policy; the base URL's default is https://openrouter.ai/api/v1. */
export function openRouterProvider(name: string, config: OpenRouterConfig, parts: ProviderParts): Provider {
  const connection = connect(name, config, parts, {
    baseUrl: BASE_URL,
    hints: (key) => hintsFor(config.managementKey, config.baseUrl ?? BASE_URL, key),
    keyHints,
  });
  const { refused, unreadable, repeat } = connection;
  const client = openRouterClient(connection.call);

  const page = (workspaceId?: string) => (offset: number) =>
    repeat(async () => {
      const response = await client.list({ offset, workspaceId });
      if (!isSuccess(response)) throw refused("list keys", response);
      const entries = readPage(response.body);
      if (!entries) throw unreadable("list keys", response);
      return entries;
    });

  const walks = new Map<string | undefined, () => Promise<IssuedKey[]>>();
  const listed = (workspace: string | undefined): Promise<IssuedKey[]> => {
    const shared = walks.get(workspace) ?? shareWalk(() => walk(page(workspace)));
    walks.set(workspace, shared);
    return shared();
  };

  const calls = keyCalls(connection, client, { issuedKey: readIssuedKey, currentKey: readCurrentKey });
  const { create, update, current } = calls;

  const get = (hash: string) =>
    repeat(async () => {
      const what = `read key ${hash}`;
      const response = await client.get(hash);
      if (isSuccess(response)) return calls.theKey(what, hash, response);
      const error = refused(what, response, { absentIs404: true });
      if (error.code === "absent") return undefined;
      throw error;
    });

  const merged = mergeOnce();

  return {
    name,
    skewMs: connection.skewMs,
    attachments: guardrails(client, connection),
    uncarried: uncarried(client, connection, get),
    get,
    create,
    update,
    delete: calls.delete,
    current,

    async list(workspaces = []) {
      if (workspaces.length === 0) return await listed(undefined);
      const lists = await Promise.all([undefined, ...new Set(workspaces)].map(listed));
      return merged(lists);
    },
  };
}

/** Each key of several lists once. All who share the walks share this too. */
function mergeOnce(): (lists: readonly IssuedKey[][]) => IssuedKey[] {
  const known = new WeakMap<object, { lists: readonly IssuedKey[][]; keys: IssuedKey[] }>();
  return (lists) => {
    const [first = []] = lists;
    const before = known.get(first);
    if (before?.lists.length === lists.length && lists.every((list, index) => list === before.lists[index]))
      return before.keys;
    const keys = [...new Map(lists.flat().map((key) => [key.hash, key])).values()];
    known.set(first, { lists, keys });
    return keys;
  };
}

const keyHints: Hints = {
  elsewhere: "check baseUrl: it ends with /api/v1 and names the API's final address",
};

function hintsFor(source: SecretSource, baseUrl: string, key: Secret | undefined): Hints {
  const where = placeOf(source);
  const made =
    "a management key (formerly: provisioning key), made at https://openrouter.ai/settings/management-keys";
  const foreign = issuerOf(key) === "ARouter" ? `${where} holds a key of ARouter (lr_…): ` : "";
  return {
    unauthorized: `${foreign}the management key was refused: check ${where}; it must hold ${made}`,
    forbidden: `${foreign}check ${where}: an ordinary API key cannot manage keys; it must hold ${made}, by someone who may create keys`,
    elsewhere: `check baseUrl (${baseUrl}): it ends with /api/v1 and names the API's final address, as redirects are not followed`,
  };
}
