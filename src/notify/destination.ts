import { createHash } from "node:crypto";
import { toldOf } from "../policy/notify.ts";
import type { HttpTarget, KeyPolicy, NotifyEvent, NotifyPolicy } from "../policy/schema.ts";

/** One place that is told, at one URL. */
export interface Destination {
  /** Follows from all that it is, so that the journal can say who was told without saying where. */
  id: string;
  http: HttpTarget;
  format: NotifyPolicy["format"];
  secret: NotifyPolicy["secret"];
}

/** Who is to be told of an event: a destination for each URL, each once. */
export function destinationsOf(
  keys: readonly Pick<KeyPolicy, "notify">[],
  event: NotifyEvent,
): Destination[] {
  const found = new Map<string, Destination>();
  for (const { http, format, secret } of keys.flatMap((key) => toldOf(key, event))) {
    for (const url of http.urls) {
      const place = { http: { ...http, urls: [url] }, format, secret };
      const id = createHash("sha256").update(JSON.stringify(place)).digest("hex").slice(0, 16);
      found.set(id, { id, ...place });
    }
  }
  return [...found.values()];
}
