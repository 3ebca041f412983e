import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import type { Random } from "../../src/lib/random.ts";

/** Everything that a seed decides is drawn from one of these. */
export interface Chance extends Random {
  /** A whole number from `least` to `most`, both included. */
  int(least: number, most: number): number;
  pick<T>(list: readonly T[]): T;
  /** True once in `n` times. */
  oneIn(n: number): boolean;
  /** A source of its own: what is drawn from it changes nothing here. */
  fork(): Chance;
}

export function chance(seed: number): Chance {
  const generator = xoroshiro128plus(seed | 0);
  // Neighbouring seeds begin alike.
  for (let turn = 0; turn < 8; turn += 1) generator.next();
  const int = (least: number, most: number) => uniformInt(generator, least, most);
  return {
    int,
    pick: (list) => list[int(0, list.length - 1)] as (typeof list)[number],
    oneIn: (n) => int(1, n) === 1,
    fraction: () => int(0, 0x7fff_fffe) / 0x7fff_ffff,
    bytes: (n) => Uint8Array.from({ length: n }, () => int(0, 255)),
    fork: () => chance(int(0, 0x7fff_fffe)),
  };
}
