import { ResourceNotFoundException, type SecretsManager } from "@aws-sdk/client-secrets-manager";
import { systemClock } from "../../src/lib/clock.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { awsStore } from "../../src/stores/aws/store.ts";
import type { SecretRef, Store } from "../../src/stores/store.ts";
import type { StoreBench } from "../conformance/store.ts";

export const AWS_CONFIG = { type: "aws-secrets-manager" as const };

/**
 * The conformance suite's bench on whatever answers `client`: secrets named under a prefix of their
 * own, and removed at the end.
 */
export function awsBench(client: SecretsManager, prefix: string, close: () => Promise<void>): StoreBench {
  const open = () =>
    prefixed(awsStore("aws", AWS_CONFIG, { clock: systemClock, random: systemRandom, client }), prefix);
  const idOf = ({ secret }: SecretRef) => prefix + secret;
  const overwrite = async (ref: SecretRef, text: string) => {
    const SecretId = idOf(ref);
    try {
      await client.putSecretValue({ SecretId, SecretString: text });
    } catch (error) {
      if (!(error instanceof ResourceNotFoundException)) throw error;
      await client.createSecret({ Name: SecretId, SecretString: text });
    }
  };
  return {
    store: open(),
    another: async () => open(),
    overwrite,
    write: async (ref, value) => {
      if (ref.field === undefined) return overwrite(ref, value);
      const text = await client.getSecretValue({ SecretId: idOf(ref) }).then(
        ({ SecretString }) => SecretString,
        () => undefined,
      );
      await overwrite(ref, JSON.stringify({ ...JSON.parse(text ?? "{}"), [ref.field]: value }));
    },
    close: async () => {
      for (const secret of ["plain", "shared"])
        await client
          .deleteSecret({ SecretId: idOf({ secret }), ForceDeleteWithoutRecovery: true })
          .catch(ignoreAbsent);
      await close();
    },
  };
}

function ignoreAbsent(error: unknown): void {
  if (!(error instanceof ResourceNotFoundException)) throw error;
}

/** The same store, with every secret under a prefix. */
function prefixed(store: Store, prefix: string): Store {
  const at = (ref: SecretRef) => ({ ...ref, secret: prefix + ref.secret });
  return {
    name: store.name,
    location: store.location,
    observe: (ref) => store.observe(at(ref)),
    claim: (ref, owner, options) => store.claim(at(ref), owner, options),
    stage: (ref, request) => store.stage(at(ref), request),
    read: (ref, version) => store.read(at(ref), version),
    promote: (ref, version, base) => store.promote(at(ref), version, base),
    fence: (ref, base) => store.fence(at(ref), base),
    drop: (ref, version) => store.drop(at(ref), version),
  };
}
