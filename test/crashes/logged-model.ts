import type { Clock } from "../../src/lib/clock.ts";
import { ProviderModel } from "../../src/sandbox/provider-model.ts";
import { quickRandom } from "./quick-random.ts";
import type { QuietClock } from "./quiet-clock.ts";

type Create = Parameters<ProviderModel["create"]>;
type Update = Parameters<ProviderModel["update"]>;

/** What has been done at the provider: enough to make it again. */
export type Deed = { readonly at: number } & (
  | { readonly create: Create[0]; readonly plaintext: string; readonly activationDelay: number }
  | { readonly update: string; readonly change: Update[1] }
  | { readonly delete: string }
);

/** The provider's model with a log of all that has changed it. The nth key is the same in every world. */
export class LoggedModel extends ProviderModel {
  readonly deeds: Deed[] = [];

  constructor(clock: Clock) {
    super({ clock, random: quickRandom("the provider") });
    this.addWorkspace(undefined, "the default workspace");
  }

  override create(fields: Create[0], account?: string, plaintext = nthKey(this.plaintexts().length)) {
    const { activationDelay } = this.knobs;
    this.deeds.push({ at: this.clock.now(), create: fields, plaintext, activationDelay });
    return super.create(fields, account, plaintext);
  }

  override update(hash: string, change: Update[1], account?: string) {
    this.deeds.push({ at: this.clock.now(), update: hash, change });
    return super.update(hash, change, account);
  }

  override delete(hash: string, account?: string) {
    this.deeds.push({ at: this.clock.now(), delete: hash });
    return super.delete(hash, account);
  }

  /** Every key ever issued, in order. */
  plaintexts(): string[] {
    return this.deeds.flatMap((deed) => ("plaintext" in deed ? [deed.plaintext] : []));
  }

  /** Does it all again, each thing at its time. */
  replay(deeds: readonly Deed[], clock: QuietClock): void {
    for (const deed of deeds) {
      clock.set(deed.at);
      if ("create" in deed) {
        this.knobs.activationDelay = deed.activationDelay;
        this.create(deed.create, undefined, deed.plaintext);
      } else if ("update" in deed) this.update(deed.update, deed.change);
      else this.delete(deed.delete);
    }
  }
}

function nthKey(n: number): string {
  return `sk-or-v1-${Buffer.from(quickRandom(`key ${n}`).bytes(32)).toString("hex")}`;
}
