import { ResourceNotFoundException, SecretsManager } from "@aws-sdk/client-secrets-manager";
import type { KeyWatch } from "../../src/consumer.ts";

const EVERY_MS = 300;

/**
 * Reads a field of a secret through the AWS SDK, as a service of its own would: at once and every
 * 300 ms. What cannot be read changes nothing: the key last read stays. Region, endpoint and
 * credentials come from the environment. Does not keep the process alive.
 */
export function watchSecret(
  secret: { secret: string; field: string },
  onChange: (key: string) => void,
): KeyWatch {
  const client = new SecretsManager();
  let key: string | undefined;
  let reading: Promise<void> | undefined;

  async function read(): Promise<void> {
    const next = await keyIn(client, secret).catch(() => undefined);
    if (next === undefined || next === key) return;
    key = next;
    onChange(next);
  }

  /** One reading at a time, so that an older value never replaces a newer one. */
  function refresh(): Promise<void> {
    reading ??= read().finally(() => {
      reading = undefined;
    });
    return reading;
  }

  const timer = setInterval(() => void refresh(), EVERY_MS).unref();
  void refresh();
  return {
    current: () => key,
    refresh,
    close() {
      clearInterval(timer);
      client.destroy();
    },
  };
}

/** The field's value in what is current; undefined while there is none. */
export async function keyIn(
  client: SecretsManager,
  { secret, field }: { secret: string; field: string },
): Promise<string | undefined> {
  try {
    const { SecretString = "{}" } = await client.getSecretValue({ SecretId: secret });
    return JSON.parse(SecretString)[field];
  } catch (thrown) {
    if (thrown instanceof ResourceNotFoundException) return undefined;
    throw thrown;
  }
}
