import type { IssuedKey } from "../../providers/provider.ts";
import type { Standing } from "./standing.ts";

/**
 * What `rotate keys … --json` prints; stable as json.ts says. Fields of a key that the answer did
 * not hold are left out; `raw` is the provider's own object, with every field that it gave.
 *
 *   list                     { "provider", "keys": KeyJson[] }
 *   get, update, disable, enable  { "provider", "key": KeyJson }
 *   create --reveal          { "provider", "key": KeyJson, "plaintext" }
 *   create --store           { "provider", "key": KeyJson, "stored": { "store", "secret", "field"?, "version" } }
 *   delete                   { "provider", "hash", "deleted": true, "gone"?: true }
 *   current                  { "provider", "accepted", "fingerprint", "key"?: CurrentKey, "policyKey"? }
 */
export type KeyJson = IssuedKey & { policyKey?: Omit<Standing, "retired"> };

export function keyJson(key: IssuedKey, standing: Standing | undefined): KeyJson {
  return standing ? { ...key, policyKey: { key: standing.key, state: standing.state } } : key;
}
