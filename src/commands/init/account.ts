import { asRotationError, RotationError } from "../../lib/errors.ts";
import type { ReadSecret } from "../../lib/secret-source.ts";
import type { ProviderPolicy } from "../../policy/schema.ts";
import type { IssuedKey, Provider } from "../../providers/provider.ts";
import { findKey } from "../provider-keys/find.ts";
import { type Draft, keyNameOf } from "./draft.ts";
import { fitOrThrow, type Judge } from "./judge.ts";

/** The keys of the account that a draft names: read-only. */
export interface Account {
  /**
   * Newest first, disabled ones last; undefined where there is no management key at hand, or the
   * provider does not answer, which is said.
   */
  keys(said: Partial<Draft>): Promise<IssuedKey[] | undefined>;
  /**
   * What was said, with what the provider shows of the key to adopt; unchanged where there is no
   * management key at hand, which is said. Throws RotationError as `rotate keys get` does, and
   * `usage` for a part of a hash that nobody can complete.
   */
  adopted(said: Partial<Draft>): Promise<Partial<Draft>>;
  /** Whether the management key is at hand. */
  isOpen(said: Partial<Draft>): Promise<boolean>;
}

export interface AccountParts {
  judge: Judge;
  /** Makes a client for a provider that no policy in force names yet. */
  connect: (name: string, config: ProviderPolicy) => Provider;
  readSecret: ReadSecret;
  say: (text: string) => void;
  /** The provider is asked nothing. */
  offline: boolean;
}

/** From here on it is taken for a whole hash. */
const WHOLE = 32;

export function accountOf({ judge, connect, readSecret, say, offline }: AccountParts): Account {
  const providerOf = async (said: Partial<Draft>): Promise<{ name: string; config: ProviderPolicy }> => {
    const { provider, managementKey, workspaces } = said;
    const asked = { provider, managementKey, workspaces };
    const { policy } = fitOrThrow(
      await judge(Object.fromEntries(Object.entries(asked).filter(([, value]) => value))),
    );
    const [entry] = Object.entries(policy.providers);
    if (!entry) throw new RotationError("internal", "a draft without a provider");
    return { name: entry[0], config: entry[1] };
  };
  /** Undefined where it is at hand. */
  const shut = async (said: Partial<Draft>): Promise<string | undefined> => {
    if (offline) return "--offline";
    const { config } = await providerOf(said);
    return await readSecret(config.managementKey).then(
      () => undefined,
      (thrown) => asRotationError(thrown).message,
    );
  };

  return {
    isOpen: async (said) => (await shut(said)) === undefined,

    async keys(said) {
      const why = await shut(said);
      const { name, config } = await providerOf(said);
      if (why !== undefined) {
        say(`  The account's keys are not listed: ${why}.`);
        return undefined;
      }
      say(`  Asking ${name} for the account's keys …`);
      try {
        const keys = await connect(name, config).list(said.workspaces ?? []);
        return keys.sort(
          (a, b) =>
            Number(a.disabled === true) - Number(b.disabled === true) ||
            (b.createdAt ?? "").localeCompare(a.createdAt ?? ""),
        );
      } catch (thrown) {
        const { message, hint } = asRotationError(thrown);
        say(`  They are not listed: ${message}${hint === undefined ? "" : ` (${hint})`}`);
        return undefined;
      }
    },

    async adopted(said) {
      if (said.adopt === undefined) return said;
      const { hash } = said.adopt;
      const why = await shut(said);
      if (why !== undefined) {
        if (hash.length < WHOLE)
          throw new RotationError(
            "usage",
            `--adopt: ${hash} is not a whole hash, and the provider is not asked (${why})`,
            {
              hint: "give all of it, or have the management key at hand",
            },
          );
        say(`rotate: the settings of the key adopted are not looked up: ${why}`);
        return said;
      }
      const { name, config } = await providerOf(said);
      const chosen = {
        name,
        type: config.type,
        client: connect(name, config),
        workspaces: said.workspaces ?? [],
      };
      const issued = await findKey(chosen, hash);
      if (issued.disabled) {
        throw new RotationError(
          "rejected",
          `key ${issued.hash.slice(0, 12)}… is disabled, so no service can be using it`,
          {
            hint: "adopt the key that is in use, or leave --adopt out: then a new one is made",
          },
        );
      }
      return { key: keyNameOf(issued), ...said, adopt: { hash: issued.hash, issued } };
    },
  };
}
