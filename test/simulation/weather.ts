import { RotationError } from "../../src/lib/errors.ts";
import type { Timeline } from "./timeline.ts";

/** How a call of a part goes wrong. */
export type Trouble =
  /** Refused before it has any effect. */
  | "unreachable"
  | "full"
  | "busy"
  | "forbidden"
  /** Takes effect, and the reply is lost. */
  | "lost"
  /** The reply is lost, and it takes effect half a minute later. */
  | "late"
  /** Takes effect twice. */
  | "twice";

/** Bad weather over stores, journals and consumers; the provider has faults of its own. */
export class Weather {
  /** Until then every request to the provider breaks. */
  providerDown = false;
  /** What every commit of a journal fails with, while set. */
  journal: "full" | "busy" | undefined;
  /** What every call of the local store fails with, while set. */
  local: "full" | "forbidden" | undefined;
  readonly #timeline: Timeline;
  #troubles: { site: RegExp; trouble: Trouble }[] = [];

  constructor(timeline: Timeline) {
    this.#timeline = timeline;
  }

  /** The next call of a site like that goes wrong. */
  add(site: RegExp, trouble: Trouble): void {
    this.#troubles.push({ site, trouble });
  }

  clear(): void {
    this.#troubles = [];
    this.providerDown = false;
    this.journal = undefined;
    this.local = undefined;
  }

  /** Carries out a call of a part as the weather has it. */
  async through<T>(site: string, perform: () => Promise<T>, error: ErrorMaker = rotationError): Promise<T> {
    const standing = site.startsWith("local.") ? this.local : changes(site) ? this.journal : undefined;
    if (standing) throw error(standing, site);
    const at = this.#troubles.findIndex((one) => one.site.test(site));
    const trouble = this.#troubles[at]?.trouble;
    if (trouble === undefined) return await perform();
    this.#troubles.splice(at, 1);
    switch (trouble) {
      case "lost":
        await perform();
        throw error("unclear", site);
      case "late":
        void this.#timeline
          .sleep(30_000)
          .then(perform)
          .catch(() => {});
        throw error("unclear", site);
      case "twice":
        await perform();
        return await perform();
      default:
        throw error(trouble, site);
    }
  }
}

/** Builds what a part throws: RotationErrors, or the SDK's own. */
export type ErrorMaker = (
  code: "unclear" | "unreachable" | "full" | "busy" | "forbidden",
  site: string,
) => Error;

const rotationError: ErrorMaker = (code, site) => new RotationError(code, `${site} failed: ${code}`);

function changes(site: string): boolean {
  return /^journal\.(commit|acquire|renew|request|release)$/.test(site);
}
