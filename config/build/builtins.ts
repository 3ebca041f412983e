import { isBuiltin } from "node:module";
import type { Plugin } from "rolldown";

/** As rolldown writes it: one line, without a part that is not used. */
const IMPORT = /^import (?:([\w$]+|\* as [\w$]+),? )?(?:\{ (.*) \} )?(?:from )?"([^"]+)";$/gm;

/**
 * Takes Node's own modules by `process.getBuiltinModule` in place of an import. An import reads
 * every export of such a module, also those that load something else when they are read: that of
 * node:http loads all of fetch.
 */
export function builtins(): Plugin {
  return {
    name: "builtins",
    renderChunk: (code) =>
      code.replace(IMPORT, (line, whole: string | undefined, parts: string | undefined, id: string) =>
        isBuiltin(id) ? taken(id, whole?.replace("* as ", ""), parts?.replaceAll(" as ", ": ")) : line,
      ),
  };
}

function taken(id: string, whole: string | undefined, parts: string | undefined): string {
  const names = [...(whole ? [whole] : []), ...(parts ? [`{ ${parts} }`] : [])];
  return names
    .map((name) => `const ${name} = globalThis.process.getBuiltinModule(${JSON.stringify(id)});`)
    .join("\n");
}
