import { randomBytes } from "node:crypto";

/** Where randomness comes from. Only the composition root makes one; the simulation seeds its own. */
export interface Random {
  /** `n` unpredictable bytes. */
  bytes(n: number): Uint8Array;
  /** A number in [0, 1), for jitter. */
  fraction(): number;
}

export const systemRandom: Random = {
  bytes: (n) => randomBytes(n),
  fraction: () => Math.random(),
};

/** A lower-case hex id of `bytes` random bytes. */
export function randomId(random: Random, bytes = 8): string {
  return Buffer.from(random.bytes(bytes)).toString("hex");
}
