import type { RotationRecord } from "../journal/document.ts";

/** What a person can do about a held rotation, one sentence; undefined when it is not held. */
export function holdHint({ hold, phase, policy }: RotationRecord): string | undefined {
  if (hold === undefined) return undefined;
  const key = policy.key.name;
  switch (hold.reason) {
    case "foreign-current":
      return `look who wrote the secret; then \`rotate approve ${key}\` keeps their value; put the expected value back and it goes on by itself`;
    case "consumers-unconfirmed":
    case "revert-unconfirmed": {
      const back = phase === "reverting" ? "" : `, or \`rotate rollback ${key}\``;
      return `mend the consumer and it goes on by itself; or \`rotate approve ${key} --without CONSUMER\`${back}`;
    }
    case "forbidden":
    case "unauthorized":
      return `give back the right that is refused and it goes on by itself within ten minutes, or at once by \`rotate approve ${key}\``;
    case "clock-skew":
      return "set the clock and it goes on by itself";
    case "still-accepted":
    case "old-key-refused":
      return "ask the provider why; it goes on by itself once that is over";
    case "old-key-gone":
      return undefined;
    default:
      return `once that is settled, \`rotate approve ${key}\` tries again`;
  }
}
