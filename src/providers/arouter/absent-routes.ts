import type { HttpResponse } from "../../lib/http.ts";
import type { Secret } from "../../lib/secret.ts";
import { type Connection, isSuccess } from "../connection.ts";
import type { IssuedKey } from "../provider.ts";
import type { ARouterClient } from "./client.ts";

/** Ways around routes that ARouter may not have; what was once found missing is not asked for again. */

/** Whether an answer may mean that there is no such route. */
function noRoute({ status }: HttpResponse): boolean {
  return status === 404 || status === 405 || status === 501;
}

/**
 * A key by its hash: as its route says, or, where that may not exist, as the whole list says. Only
 * a list that was read to its end says that there is no such key; one that cannot be read throws.
 */
export function getOrFind(
  client: ARouterClient,
  { repeat, refused, errorIn }: Connection,
  theKey: (what: string, hash: string, response: HttpResponse) => IssuedKey,
  list: () => Promise<IssuedKey[]>,
): (hash: string) => Promise<IssuedKey | undefined> {
  let missing = false;
  return async (hash) => {
    let known = missing;
    if (!missing) {
      const answer = await repeat(async () => {
        const what = `read key ${hash}`;
        const response = await client.get(hash);
        if (isSuccess(response)) return theKey(what, hash, response);
        if (noRoute(response)) return response;
        throw refused(what, response);
      });
      if ("hash" in answer) return answer;
      // The API's own 404 may be about the key as well as about the route.
      known = answer.status !== 404 || errorIn(answer.body) === undefined;
    }
    const found = (await list()).find((key) => key.hash === hash);
    missing = known || found !== undefined;
    return found;
  };
}

/** The answer to a key that asks about itself, from `/key` or, where that is not, from the host's `/v1/key`. */
export function askAtEither(client: ARouterClient): (key: Secret) => Promise<HttpResponse> {
  let place: "api" | "host" = "api";
  return async (key) => {
    const response = await client.current(key, place);
    if (place === "host" || !noRoute(response)) return response;
    const other = await client.current(key, "host");
    if (noRoute(other)) return response;
    if (isSuccess(other)) place = "host";
    return other;
  };
}
