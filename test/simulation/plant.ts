import { registerHooks } from "node:module";
import { MUTANTS, patched, SOURCES } from "./mutants.ts";

/**
 * Loaded with `node --import`: plants the mutant named by KEYTURN_MUTANT into this process, by
 * changing its file's text as it is loaded. Nothing on the disk changes.
 */
const mutant = MUTANTS.find(({ name }) => name === process.env.KEYTURN_MUTANT);
if (mutant === undefined) throw new Error(`there is no mutant "${process.env.KEYTURN_MUTANT}"`);
const planted = new URL(mutant.file, SOURCES).href;

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    if (url !== planted) return loaded;
    return { ...loaded, source: patched(mutant, Buffer.from(loaded.source as Uint8Array).toString()) };
  },
});
