import type { JsonObject } from "./answer.ts";
import { withoutSecrets } from "./redact.ts";

interface Raw {
  raw: JsonObject;
}

/** What is known of a key, and the object that tells it, without secrets. */
export function withRaw<T extends object>(known: T, data: JsonObject): T & Raw {
  return { ...known, raw: withoutSecrets(data) as JsonObject };
}

/**
 * The same for an entry of a list, made when it is asked for: of thousands hardly one is shown whole.
 * Only for answers that hold no plaintext, since `data` lives as long as what is returned.
 */
export function withRawLater<T extends object>(known: T, data: JsonObject): T & Raw {
  return {
    ...known,
    get raw() {
      return withoutSecrets(data) as JsonObject;
    },
  };
}
