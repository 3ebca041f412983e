import { isIP } from "node:net";
import type { Clock } from "../lib/clock.ts";
import type { PreparedRequest } from "./http-target.ts";
import type { LookupAll } from "./parts.ts";

/**
 * The request once for every address behind its name, each connecting to that address while Host,
 * SNI and certificate name stay; sorted, so that the same addresses give the same list. A string
 * says why there is none: the name does not resolve, or not within the request's timeout.
 */
export async function eachAddress(
  { place, request }: PreparedRequest,
  parts: { lookup: LookupAll; clock: Clock },
): Promise<PreparedRequest[] | string> {
  const url = new URL(request.url);
  const name = url.hostname.replace(/^\[|\]$/g, "");
  if (isIP(name)) return [{ place, request }];
  const patience = new AbortController();
  const found = await Promise.race([
    parts
      .lookup(name)
      .catch((cause: NodeJS.ErrnoException) => `${name} cannot be resolved (${cause.code ?? "error"})`),
    parts.clock.sleep(request.timeoutMs, patience.signal).then(() => `${name} was not resolved in time`),
  ]);
  patience.abort();
  if (typeof found === "string") return found;
  const addresses = [...new Set(found.map(({ address }) => address))].sort();
  if (addresses.length === 0) return `${name} has no address`;
  return addresses.map((address) => ({
    place: place.replace(
      url.host,
      (isIP(address) === 6 ? `[${address}]` : address) + (url.port && `:${url.port}`),
    ),
    request: { ...request, address },
  }));
}
