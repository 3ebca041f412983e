import { Writable } from "node:stream";

/** Standard error as the commands use it: plain lines, or a list redrawn in place with lines printed above it. */
export interface Screen {
  /** Whether a list can be drawn. */
  readonly live: boolean;
  print(line: string): void;
  /** Replaces the list; nothing where none can be drawn. */
  draw(text: string): void;
  /** Leaves the list as it stands. */
  done(): void;
  /** For the logger: its lines go above the list. */
  readonly log: Writable;
}

/** Whether standard error is a terminal that can redraw lines; one without a size cannot. */
export function canDraw(): boolean {
  const { isTTY, rows, columns } = process.stderr;
  return isTTY === true && rows > 0 && columns > 0 && process.env.TERM !== "dumb" && !process.env.CI;
}

/** `live`: draw in place. */
export async function openScreen(live: boolean): Promise<Screen> {
  const screen = live ? await drawing() : plain();
  const log = new Writable({
    decodeStrings: false,
    write(chunk, _encoding, callback) {
      screen.print(String(chunk).replace(/\n$/, ""));
      callback();
    },
  });
  return { ...screen, log };
}

type Drawn = Omit<Screen, "log">;

function plain(): Drawn {
  return { live: false, print: (line) => process.stderr.write(`${line}\n`), draw: () => {}, done: () => {} };
}

async function drawing(): Promise<Drawn> {
  const { redrawOn } = await import("./redraw.ts");
  return { live: true, ...redrawOn(process.stderr) };
}
