import { RotationError } from "../../lib/errors.ts";
import type { HttpResponse } from "../../lib/http.ts";
import { isObject, type JsonObject } from "../answer.ts";
import { type Connection, isSuccess } from "../connection.ts";
import { nullable, readEntries, text, texts } from "../fields.ts";
import type { IssuedKey } from "../provider.ts";
import { quote } from "../redact.ts";
import { walkEntries } from "../walk.ts";
import type { ListQuery, OpenRouterClient } from "./client.ts";
import { LIST_PAGE, notOpen } from "./guardrails.ts";

/** A list of things that may name keys by their hashes. */
interface Place {
  what: string;
  list(query: ListQuery): Promise<HttpResponse>;
  hashesIn: string;
  /** What to say of an entry that names the key. */
  says(title: string): string;
}

interface Entry {
  id: string;
  title: string;
  hashes: readonly string[];
}

/** What names a key by its hash and stays behind: see Provider.uncarried. */
export function uncarried(
  client: OpenRouterClient,
  connection: Connection,
  get: (hash: string) => Promise<IssuedKey | undefined>,
): (hash: string) => Promise<string[]> {
  const places: Place[] = [
    {
      what: "list BYOK credentials",
      list: client.listByokKeys,
      hashesIn: "allowed_api_key_hashes",
      says: (title) =>
        `BYOK credential ${title} admits this key by its hash: add the new key's hash there, or its requests go without that credential`,
    },
    {
      what: "list observability destinations",
      list: client.listDestinations,
      hashesIn: "api_key_hashes",
      says: (title) =>
        `observability destination ${title} takes this key's traffic by its hash: add the new key's hash there, or its traffic is missing`,
    },
  ];

  async function entries(place: Place, workspaceId: string | undefined): Promise<Entry[]> {
    const page = (offset: number) =>
      connection.repeat(async () => {
        const response = await place.list({ offset, workspaceId });
        if (!isSuccess(response)) throw notOpen(connection.refused(place.what, response), response);
        const read = readEntries(response.body, (entry) => readEntry(entry, place.hashesIn));
        if (!read) throw connection.unreadable(place.what, response);
        return read;
      });
    return walkEntries(page, ({ id }) => id, LIST_PAGE);
  }

  return async (hash) => {
    const workspace = (await get(hash))?.workspaceId;
    const said: string[] = [];
    for (const place of places) {
      try {
        // Entries of the whole account are sure to be in the list of the default workspace only.
        const found = new Map<string, Entry>();
        for (const workspaceId of new Set([undefined, workspace]))
          for (const entry of await entries(place, workspaceId)) found.set(entry.id, entry);
        const naming = [...found.values()].filter(({ hashes }) => hashes.includes(hash));
        said.push(...naming.map(({ title }) => place.says(title)));
      } catch (error) {
        if (!(error instanceof RotationError) || error.code !== "forbidden") throw error;
        said.push(`whether the key is named elsewhere is unknown: ${error.message}`);
      }
    }
    return said;
  };
}

/** Undefined where the hashes cannot be read: that would pass for none. */
function readEntry(entry: unknown, hashesIn: string): Entry | undefined {
  if (!isObject(entry)) return undefined;
  const id = text(entry, "id");
  const hashes = entry[hashesIn] === undefined ? [] : nullable(entry, hashesIn, texts);
  if (!id || hashes === undefined) return undefined;
  return { id, title: titleOf(entry, id), hashes: hashes ?? [] };
}

function titleOf(entry: JsonObject, id: string): string {
  const name = text(entry, "name");
  const kind = text(entry, "provider") ?? text(entry, "type");
  return [name && JSON.stringify(quote(name)), `(${quote([kind, id].filter(Boolean).join(", "))})`]
    .filter(Boolean)
    .join(" ");
}
