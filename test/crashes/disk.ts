import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import type { Sites } from "./sites.ts";

/** What only looks, or only gives back what was opened. Everything else that node:fs does at once counts as a change. */
const LOOKS =
  /^(access|close|exists|fstat|lstat|opendir|read|readdir|readFile|readlink|readv|realpath|stat|statfs)Sync$/;

const real = Object.fromEntries(
  Object.entries(fs).filter(([name, value]) => name.endsWith("Sync") && typeof value === "function"),
) as unknown as typeof fs;

/** Everything in a folder, by path within it: text, or undefined for a folder; and the mode. */
export type Tree = readonly (readonly [
  path: string,
  entry: { readonly mode: number; readonly text?: string },
])[];

/** One folder on the disk, whose changes are sites as long as somebody watches. */
export interface Disk {
  readonly folder: string;
  /** Grows with every change. */
  readonly changes: number;
  /** To whom the changes are told. */
  sites: Sites | undefined;
  tree(): Tree;
  /** The text of one file in it; undefined where there is none. */
  text(path: string): string | undefined;
  /** Puts back what was there. */
  restore(tree: Tree): void;
  close(): void;
}

/**
 * Replaces the functions of node:fs, for every module of this process, by ones that tell of each
 * change within `folder`: before, after, and a write in the middle too.
 */
export function watchDisk(folder: string): Disk {
  let changes = 0;
  const opened = new Set<number>();
  const disk: Disk = {
    folder,
    get changes() {
      return changes;
    },
    sites: undefined,
    tree: () => treeOf(folder),
    text(path) {
      const file = join(folder, path);
      return real.existsSync(file) ? real.readFileSync(file, "utf8") : undefined;
    },
    restore(tree) {
      changes += 1;
      for (const name of real.readdirSync(folder)) real.rmSync(join(folder, name), { recursive: true });
      for (const [path, { mode, text }] of tree) {
        if (text === undefined) real.mkdirSync(join(folder, path));
        else real.writeFileSync(join(folder, path), text);
        real.chmodSync(join(folder, path), mode);
      }
    },
    close() {
      Object.assign(fs, real);
      syncBuiltinESMExports();
    },
  };

  const within = (target: unknown) =>
    typeof target === "number" ? opened.has(target) : String(target).startsWith(folder);
  const watched = (name: string, perform: (...args: unknown[]) => unknown) => {
    return (...args: unknown[]) => {
      const [target] = args;
      const { sites } = disk;
      if (sites === undefined || !within(target)) return perform(...args);
      if (name === "openSync" && !mayCreate(args[1])) return keep(perform(...args));
      const place = typeof target === "number" ? "" : ` ${String(target).slice(folder.length)}`;
      return sites.aroundSync(`fs.${name}${place}`, () => {
        changes += 1;
        const half = tear(name, args, perform);
        if (half === undefined) return name === "openSync" ? keep(perform(...args)) : perform(...args);
        sites.within("half of the bytes are written");
        changes += 1;
        return perform(...half);
      });
    };
  };
  const keep = (fd: unknown) => {
    opened.add(fd as number);
    return fd;
  };

  for (const [name, value] of Object.entries(real)) {
    if (LOOKS.test(name)) continue;
    Object.assign(fs, { [name]: watched(name, value as (...args: unknown[]) => unknown) });
  }
  Object.assign(fs, {
    closeSync: (fd: number) => {
      opened.delete(fd);
      real.closeSync(fd);
    },
  });
  syncBuiltinESMExports();
  return disk;
}

/** The flags of an open, as a word or as bits. */
function mayCreate(flags: unknown): boolean {
  return typeof flags === "number" ? (flags & fs.constants.O_CREAT) !== 0 : /[wax+]/.test(String(flags));
}

/** Writes half of a text; what is left for the rest, where a write can be done in parts. */
function tear(
  name: string,
  args: unknown[],
  perform: (...args: unknown[]) => unknown,
): unknown[] | undefined {
  const [fd, text, ...rest] = args;
  if (name !== "writeFileSync" || typeof fd !== "number" || typeof text !== "string") return undefined;
  const half = Math.floor(text.length / 2);
  perform(fd, text.slice(0, half), ...rest);
  return [fd, text.slice(half), ...rest];
}

/** Never opens an empty file: closing the store's lock would release it. */
function treeOf(folder: string, path = ""): Tree {
  return real
    .readdirSync(join(folder, path), { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((found): Tree => {
      const inner = join(path, found.name);
      const { mode, size } = real.statSync(join(folder, inner));
      if (found.isDirectory()) return [[inner, { mode: mode & 0o777 }], ...treeOf(folder, inner)];
      const text = size === 0 ? "" : real.readFileSync(join(folder, inner), "utf8");
      return [[inner, { mode: mode & 0o777, text }]];
    });
}
