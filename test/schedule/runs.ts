import { nextCron } from "../../src/schedule/cron.ts";

/** The next `count` runs after an instant, in UTC. */
export function runs(expression: string, timezone: string, after: string, count: number): string[] {
  const found: string[] = [];
  for (let at: number | undefined = Date.parse(after); at !== undefined && found.length < count; ) {
    at = nextCron(expression, timezone, at);
    if (at !== undefined) found.push(new Date(at).toISOString().slice(0, 16));
  }
  return found;
}
