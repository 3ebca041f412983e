import { type Check, checked, failed, noted } from "../../lib/check.ts";
import { asRotationError, RotationError } from "../../lib/errors.ts";
import type { ReadSecret } from "../../lib/secret-source.ts";
import { formatDuration } from "../../policy/duration.ts";
import type { ProviderPolicy } from "../../policy/schema.ts";
import { placeOf } from "../../providers/issuer.ts";
import type { Provider } from "../../providers/provider.ts";
import { SKEW_LIMIT_MS } from "../../rotation/timing.ts";

const UNPROVED =
  "it is a management key, as it lists keys; that it may create, change and delete them shows only when it does";

/** Whether the management key is accepted, in each workspace that keys are issued in, and whether the clocks agree. */
export async function checkProvider(
  provider: Provider,
  { managementKey }: Pick<ProviderPolicy, "managementKey">,
  workspaces: readonly string[],
  readSecret: ReadSecret,
): Promise<Check[]> {
  const where = placeOf(managementKey);
  const accepted = await checked("management key", async () => {
    try {
      const { length } = await provider.list(workspaces);
      return `${where} is accepted and lists ${length === 1 ? "1 key" : `${length} keys`}`;
    } catch (thrown) {
      throw await ordinaryKey(thrown, provider, where, () => readSecret(managementKey));
    }
  });
  const rights = accepted.result === "passed" ? [noted("rights", UNPROVED)] : [];
  return [accepted, ...rights, checkClock(provider.skewMs())];
}

/** Tells an API key in the management key's place, which is accepted but may not manage keys, from one that is not accepted. */
async function ordinaryKey(
  thrown: unknown,
  provider: Provider,
  where: string,
  read: () => ReturnType<ReadSecret>,
): Promise<unknown> {
  const { code, hint } = asRotationError(thrown);
  if (code !== "unauthorized" && code !== "forbidden") return thrown;
  try {
    const answer = await provider.current(await read());
    if (!answer.accepted || answer.key.isManagementKey) return thrown;
    const label = answer.key.label === undefined ? "" : ` (${answer.key.label})`;
    return new RotationError(code, `${where} holds an ordinary API key${label}, which cannot manage keys`, {
      hint,
    });
  } catch {
    return thrown;
  }
}

function checkClock(skewMs: number | undefined): Check {
  if (skewMs === undefined) return noted("clock", "not checked: no answer of the provider had a date");
  // The provider's date has whole seconds.
  const apart = formatDuration(Math.max(1, Math.round(Math.abs(skewMs) / 1000)) * 1000);
  if (Math.abs(skewMs) <= SKEW_LIMIT_MS)
    return { check: "clock", result: "passed", says: `within ${apart} of the provider's` };
  return failed(
    "clock",
    new RotationError(
      "unusable",
      `${apart} ${skewMs > 0 ? "behind" : "ahead of"} the provider's: nothing is created or deleted`,
      {
        hint: "set this machine's clock right",
      },
    ),
  );
}
