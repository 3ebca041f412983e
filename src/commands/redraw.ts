import { createLogUpdate } from "log-update";

/** A text on a terminal that is replaced in place. */
export interface Redraw {
  draw(text: string): void;
  /** Prints a line above the text, for good. */
  print(line: string): void;
  /** Leaves the text as it stands. */
  done(): void;
}

export function redrawOn(stream: NodeJS.WriteStream): Redraw {
  // The cursor stays visible: hiding it would bring signal handlers that compete with ours.
  const update = createLogUpdate(stream, { showCursor: true });
  let shown: string | undefined;
  return {
    draw(text) {
      if (text === shown) return;
      shown = text;
      // Each frame whole: the patches of log-update 7 overwrite lines when some are inserted above them.
      update.clear();
      update(text);
    },
    print(line) {
      update.persist(line);
      if (shown !== undefined) update(shown);
    },
    done() {
      shown = undefined;
      update.done();
    },
  };
}
