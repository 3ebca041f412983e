import { RotationError } from "../../lib/errors.ts";
import type { Secret } from "../../lib/secret.ts";
import type { SecretSource } from "../../lib/secret-source.ts";
import type { Hints } from "../answer.ts";
import { connect, isSuccess, type ProviderConfig, type ProviderParts } from "../connection.ts";
import { issuerOf, placeOf } from "../issuer.ts";
import { keyCalls } from "../key-calls.ts";
import type { IssuedKey, Provider } from "../provider.ts";
import { shareWalk } from "../share-walk.ts";
import { walk, walkTokens } from "../walk.ts";
import { askAtEither, getOrFind } from "./absent-routes.ts";
import { arouterClient, PAGE_SIZE } from "./client.ts";
import { readCurrentKey, readError, readIssuedKey, readPage } from "./read.ts";

export type ARouterConfig = ProviderConfig;

const BASE_URL = "https://api.arouter.ai/api/v1";
/** The page size of the documentation's example: nothing suggests that pages are ever cut shorter. */
const LEAST_PAGE = 20;

const hashOf = ({ hash }: IssuedKey) => hash;

/** ARouter as a Provider. `name` is its name in the policy; the base URL's default is https://api.arouter.ai/api/v1. */
export function arouterProvider(name: string, config: ARouterConfig, parts: ProviderParts): Provider {
  const connection = connect(name, config, parts, {
    baseUrl: BASE_URL,
    hints: (key) => hintsFor(config.managementKey, config.baseUrl ?? BASE_URL, key),
    keyHints,
    readError,
  });
  const { refused, unreadable, repeat } = connection;
  const client = arouterClient(connection.call, connection.baseUrl);

  const page = (from?: Parameters<typeof client.list>[0]) =>
    repeat(async () => {
      const response = await client.list(from);
      if (!isSuccess(response)) throw refused("list keys", response);
      const read = readPage(response.body);
      if (!read) throw unreadable("list keys", response);
      return read;
    });

  /** By the tokens that the pages give, or by offset where the first gives none. */
  const listAll = shareWalk(async (): Promise<IssuedKey[]> => {
    const first = await page();
    if (first.next !== undefined) return walkTokens(first, (token) => page({ token }), hashOf);
    let held: IssuedKey[] | undefined = first.entries;
    const entriesAt = async (offset: number) => {
      const entries = offset === 0 ? held : undefined;
      held = undefined;
      return entries ?? (await page({ offset })).entries;
    };
    return walk(entriesAt, { asked: PAGE_SIZE, least: LEAST_PAGE });
  });

  const calls = keyCalls(
    connection,
    { ...client, current: askAtEither(client) },
    { issuedKey: readIssuedKey, currentKey: readCurrentKey },
  );
  const { create, update, current } = calls;

  return {
    name,
    skewMs: connection.skewMs,
    get: getOrFind(client, connection, calls.theKey, listAll),
    create,
    update,
    delete: calls.delete,
    current,

    async list(workspaces = []) {
      if (workspaces.length > 0) {
        throw new RotationError("rejected", "ARouter has no workspaces", { hint: "name none" });
      }
      return listAll();
    },
  };
}

const unpaid = "the account has no credits left: add some at ARouter";

const keyHints: Hints = {
  unpaid,
  elsewhere: "check baseUrl: it ends with /api/v1 and names the API's final address",
};

function hintsFor(source: SecretSource, baseUrl: string, key: Secret | undefined): Hints {
  const where = placeOf(source);
  const made = "a management key of ARouter (lr_mgmt_…), made in its dashboard under API keys";
  const foreign = issuerOf(key) === "OpenRouter" ? `${where} holds a key of OpenRouter (sk-or-…): ` : "";
  return {
    unauthorized: `${foreign}the management key was refused: check ${where}; it must hold ${made}`,
    forbidden: `${foreign}check ${where}: an ordinary API key (lr_live_…) cannot manage keys; it must hold ${made}`,
    unpaid,
    elsewhere: `check baseUrl (${baseUrl}): it ends with /api/v1 and names the API's final address, as redirects are not followed`,
  };
}
