import { extname } from "node:path";
import { packageFile } from "../package.ts";

/** The rotation.yaml of the package, whatever folder the command runs in. */
export const SHIPPED_POLICY = packageFile("rotation.yaml");

/** What `rotate init` writes. */
export const STARTER_POLICY = packageFile("config/examples/single-service.yaml");

/** The example for ARouter, which does for its sandbox what rotation.yaml does for OpenRouter's. */
export const SHIPPED_AROUTER_POLICY = packageFile("config/examples/arouter.yaml");

/** This very program's entry, of the sources or of the build. */
export const OWN_PROGRAM = packageFile(
  extname(import.meta.filename) === ".ts" ? "src/cli.ts" : "dist/cli.js",
);
