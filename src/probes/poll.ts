const FIRST_MS = 100;
const GROWTH = 1.6;

/**
 * Milliseconds to wait before sweep number `attempt` + 2 (the wait after the first sweep is
 * attempt 0): short at first, so that a quick consumer is not waited for, then growing to `interval`.
 */
export function pollDelay(attempt: number, interval: number): number {
  return Math.min(Math.round(FIRST_MS * GROWTH ** attempt), interval);
}
