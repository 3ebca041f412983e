/** Pauses after failures in a row, in milliseconds: `first`, doubling up to `longest`. */
export interface Backoff {
  first: number;
  longest: number;
}

/** The pause after so many failures, spread by ±20 %; `fraction` is a random number in [0, 1). Milliseconds. */
export function backoff({ first, longest }: Backoff, failures: number, fraction: number): number {
  return Math.min(first * 2 ** Math.max(failures - 1, 0), longest) * (0.8 + 0.4 * fraction);
}
