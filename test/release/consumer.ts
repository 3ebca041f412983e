/** A service of a user's, compiled against the package as it is installed. */
import { fingerprint, type HealthBody, healthBody, type KeyWatch, watchKey } from "keyturn/consumer";

const watch: KeyWatch = watchKey("/srv/keys/payments-api.json", {
  field: "OPENROUTER_API_KEY",
  onChange: (key: string, previous: string | undefined) =>
    console.log(fingerprint(key), previous === undefined),
});
const body: HealthBody = healthBody({
  instance: "payments-1",
  keys: { "payments-api": { serving: watch.current(), holding: new Set<string>() } },
});
const serving: string | null | undefined = body.keys["payments-api"]?.serving;
console.log(serving);
// @ts-expect-error: the key is no option of its own
watchKey("/srv/keys/payments-api.json", { key: "OPENROUTER_API_KEY" });
watch.close();
