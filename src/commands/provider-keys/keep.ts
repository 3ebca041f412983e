import { asRotationError, isWeather, mayHaveHappened, RotationError } from "../../lib/errors.ts";
import { randomId } from "../../lib/random.ts";
import type { Secret } from "../../lib/secret.ts";
import type { Provider } from "../../providers/provider.ts";
import type { Context } from "../context.ts";
import type { Destination } from "./destination.ts";

/** How often the store is tried for a key whose plaintext is only in memory, and the first wait in milliseconds. */
const TRIES = 5;
const FIRST_WAIT_MS = 250;

export interface Made {
  hash: string;
  key: Secret;
}

/**
 * Makes a new key the current value of its destination and gives the version's id. Where that
 * fails the key is deleted again, unless the store may have it; the error says which.
 */
export async function keep(
  context: Context,
  destination: Destination,
  provider: Provider,
  made: Made,
): Promise<string> {
  try {
    return await writeStubbornly(context, destination, made);
  } catch (thrown) {
    return await settle(destination, provider, made, asRotationError(thrown));
  }
}

async function writeStubbornly(context: Context, destination: Destination, made: Made): Promise<string> {
  const rotation = randomId(context.random);
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await write(destination, rotation, made);
    } catch (thrown) {
      if (!isWeather(asRotationError(thrown)) || attempt === TRIES) throw thrown;
      await context.clock.sleep(FIRST_WAIT_MS * 2 ** (attempt - 1));
    }
  }
}

/** May be repeated: what is done already is seen, and done no second time. */
async function write(
  { store, ref, title }: Destination,
  rotation: string,
  { hash, key }: Made,
): Promise<string> {
  const { base, current } = await store.observe(ref);
  if (current?.value?.equals(key)) return current.version;
  if (current?.value !== undefined)
    throw new RotationError("unusable", `${title} was given a value by someone else meanwhile`);
  const staged = await store.stage(ref, { rotation, hash, value: key, base });
  const readBack = await store.read(ref, staged.version);
  if (!readBack?.equals(key))
    throw new RotationError("unusable", "the store returned another value than was written to it");
  await store.promote(ref, staged.version, base);
  // Nobody rolls back to the version without the field; where it stays it harms nobody.
  if (current) await store.drop(ref, current.version).catch(() => {});
  return staged.version;
}

/** A key that the store has is kept; one that it certainly has not, and will not have, is deleted again. */
async function settle(
  { store, ref, title }: Destination,
  provider: Provider,
  { hash, key }: Made,
  error: RotationError,
): Promise<string> {
  const view = await store.observe(ref).catch(() => undefined);
  if (view?.current?.value?.equals(key)) return view.current.version;
  const left = view?.staged.filter((version) => version.hash === hash) ?? [];
  // A promotion that has stalled fails by itself once its version is gone.
  const drops = await Promise.allSettled(left.map(({ version }) => store.drop(ref, version)));
  const because = error.hint ? `${error.message}; ${error.hint}` : error.message;
  const unknown = view === undefined || drops.some(({ status }) => status === "rejected");
  if (unknown && mayHaveHappened(error)) {
    throw new RotationError(error.code, `whether ${title} has the new key is unknown: ${because}`, {
      hint: `key ${hash} was left alive: look into the store, and if it is not there: rotate keys delete ${hash}`,
      cause: error,
    });
  }
  const deletion = await provider.delete(hash).then(
    () => undefined,
    (thrown: unknown) => asRotationError(thrown),
  );
  throw new RotationError(error.code, `${title} could not be given the new key: ${because}`, {
    hint: deletion
      ? `the key is of no use and could not be deleted either (${deletion.message}): rotate keys delete ${hash}`
      : `the key was deleted again (${hash})`,
    cause: error,
  });
}
