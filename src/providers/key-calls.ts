import type { HttpResponse } from "../lib/http.ts";
import { Secret } from "../lib/secret.ts";
import { isObject, parseJson } from "./answer.ts";
import { type Connection, isSuccess } from "./connection.ts";
import { readDeleted, text } from "./fields.ts";
import type { CurrentKey, IssuedKey, KeyPatch, KeySettings, Provider } from "./provider.ts";

/** The wire of one provider. */
export interface KeyRequests {
  create(name: string, settings: KeySettings): Promise<HttpResponse>;
  update(hash: string, patch: KeyPatch): Promise<HttpResponse>;
  delete(hash: string): Promise<HttpResponse>;
  current(key: Secret): Promise<HttpResponse>;
}

/** How one provider's answers are read; undefined where the one thing that is needed is not there. */
export interface KeyReaders {
  issuedKey(body: string): IssuedKey | undefined;
  currentKey(body: string): CurrentKey | undefined;
}

export interface KeyCalls extends Pick<Provider, "create" | "update" | "delete" | "current"> {
  /** The key that an answer is about; throws `malformed` when it is not the one asked about. */
  theKey(what: string, hash: string, response: HttpResponse): IssuedKey;
}

/** What the calls about one key mean, alike at every provider. */
export function keyCalls(connection: Connection, requests: KeyRequests, read: KeyReaders): KeyCalls {
  const { refused, unreadable, repeat, errorIn } = connection;

  function theKey(what: string, hash: string, response: HttpResponse): IssuedKey {
    const key = read.issuedKey(response.body);
    if (key?.hash !== hash) throw unreadable(what, response);
    return key;
  }

  return {
    theKey,

    // Not repeated, not even where nothing can have happened: one call, one POST (R8).
    async create(keyName, settings) {
      const what = `create key ${keyName}`;
      const response = await requests.create(keyName, settings);
      if (!isSuccess(response)) throw refused(what, response);
      const key = plaintextIn(response.body);
      const issued = read.issuedKey(response.body);
      if (!key || !issued) throw unreadable(what, response);
      return { key, issued };
    },

    update: (hash, patch) =>
      repeat(async () => {
        const what = `update key ${hash}`;
        const response = await requests.update(hash, patch);
        if (!isSuccess(response)) throw refused(what, response, { absentIs404: true });
        return theKey(what, hash, response);
      }),

    delete: (hash) =>
      repeat(async () => {
        const what = `delete key ${hash}`;
        const response = await requests.delete(hash);
        if (isSuccess(response)) {
          if (response.status === 204 || readDeleted(response.body)) return "deleted";
          throw unreadable(what, response);
        }
        const error = refused(what, response, { absentIs404: true });
        if (error.code === "absent") return "absent";
        throw error;
      }),

    current: (key) =>
      repeat(async () => {
        const what = "ask about the key in use";
        const response = await requests.current(key);
        if (isSuccess(response)) {
          const current = read.currentKey(response.body);
          if (!current) throw unreadable(what, response);
          return { accepted: true, key: current };
        }
        // A 401 from something in front of the API says nothing about the key.
        if (response.status === 401 && errorIn(response.body) !== undefined) return { accepted: false };
        throw refused(what, response, { as: key });
      }),
  };
}

/** The plaintext in an answer to create: beside `data`, or inside it. What no header could carry is none. */
function plaintextIn(body: string): Secret | undefined {
  const json = parseJson(body);
  if (!isObject(json)) return undefined;
  const key = text(json, "key") ?? (isObject(json.data) ? text(json.data, "key") : undefined);
  return key && /^[\x21-\x7e]{1,4096}$/.test(key) ? new Secret(key) : undefined;
}
