/** Loaded into the command with --import: at its end, writes what it has loaded into the file LOADED_TO. */
import { writeFileSync } from "node:fs";
import { registerHooks } from "node:module";

const files: string[] = [];
registerHooks({
  load(url, context, next) {
    if (url.startsWith("file:")) files.push(url);
    return next(url, context);
  },
});

process.on("exit", () => {
  const { moduleLoadList = [] } = process as { moduleLoadList?: string[] };
  writeFileSync(process.env.LOADED_TO as string, JSON.stringify({ files, internals: moduleLoadList }));
});
