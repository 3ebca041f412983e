import type { KubeObject } from "../../../src/kubernetes/api.ts";
import { badRequest, Refusal } from "./refusal.ts";

interface Walk {
  items: object[];
  resourceVersion: string;
}

/** Lists in pages: each walk sees what there was when it began, until it expires. */
export class Pages {
  readonly #walks = new Map<string, Walk>();
  #last = 0;

  read(
    chosen: () => KubeObject[] | object[],
    version: string,
    limit: number,
    token?: string,
    selected = false,
  ) {
    const { id, start } = token ? read(token) : { id: String(++this.#last), start: 0 };
    const walk = token ? this.#walks.get(id) : { items: chosen(), resourceVersion: version };
    if (!walk) {
      const message =
        "The provided continue parameter is too old to display a consistent list result. " +
        "You can start a new list without the continue parameter.";
      throw new Refusal(410, "Expired", message);
    }
    const end = start + limit;
    const left = walk.items.length - end;
    if (left > 0) this.#walks.set(id, walk);
    else this.#walks.delete(id);
    return {
      items: walk.items.slice(start, end),
      metadata: {
        resourceVersion: walk.resourceVersion,
        ...(left > 0 && { continue: written(id, end) }),
        // With a selector the server does not know it.
        ...(left > 0 && !selected && { remainingItemCount: left }),
      },
    };
  }

  expire(): void {
    this.#walks.clear();
  }
}

function written(id: string, start: number): string {
  return Buffer.from(JSON.stringify({ v: "model", id, start })).toString("base64url");
}

function read(token: string): { id: string; start: number } {
  try {
    return JSON.parse(Buffer.from(token, "base64url").toString());
  } catch {
    throw badRequest("continue key is not valid: illegal base64 data");
  }
}
