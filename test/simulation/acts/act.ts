import type { Chance } from "../chance.ts";
import type { Crew } from "../crew.ts";
import type { KeyPlan } from "../plan.ts";
import type { SimProcess } from "../process.ts";
import type { World } from "../world.ts";

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** What an act was drawn with: plain data, so that a plan can be printed and cut down. */
export type Args = Readonly<Record<string, string | number | boolean | undefined>>;

/** Something that happens to the world at an instant of a plan. */
export interface ActKind {
  /** How often it is drawn, next to others; 1 unless said. */
  weight?: number;
  draw(chance: Chance, keys: readonly KeyPlan[]): Args;
  /** `caller`: the process whose call it comes before, if any. */
  apply(scene: Scene, args: Args, caller: SimProcess | undefined): void;
}

export interface Scene {
  world: World;
  crew: Crew;
}

export type Acts = Readonly<Record<string, ActKind>>;

/** Undoes something after a while, unless the world has been calmed meanwhile. */
export function later({ world }: Scene, ms: number, undo: () => void): void {
  void world.timeline.sleep(ms).then(() => {
    if (!world.calm) undo();
  });
}

/** The place with that number; plans name places by number, since people rename keys. */
export function placeAt(world: World, args: Args) {
  const place = world.places[Number(args.place)];
  if (place === undefined) throw new Error(`the plan has no place ${args.place}`);
  return place;
}

export function drawPlace(chance: Chance, keys: readonly KeyPlan[]): { place: number } {
  return { place: chance.int(0, keys.length - 1) };
}
