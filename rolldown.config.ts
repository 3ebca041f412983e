import { readFileSync } from "node:fs";
import { defineConfig } from "rolldown";
import { builtins } from "./config/build/builtins.ts";
import { thirdParty } from "./config/build/third-party.ts";

const { dependencies } = JSON.parse(readFileSync(new URL("package.json", import.meta.url), "utf8"));
const installed = new RegExp(`^(${Object.keys(dependencies).join("|")})(/|$)`);

/**
 * What is published: the three entries in dist/, and beside them what they load, in pieces that are
 * loaded when they are first needed. `dependencies` of package.json are left to be installed; what
 * every command needs to start is a development dependency and becomes part of the pieces, because
 * Node takes longer to find and read its hundreds of files than to run it.
 */
export default defineConfig({
  input: { cli: "src/cli.ts", consumer: "src/consumer.ts", container: "src/container.ts" },
  platform: "node",
  external: installed,
  plugins: [builtins(), thirdParty()],
  output: { dir: "dist", format: "esm", chunkFileNames: "[name].js" },
});
