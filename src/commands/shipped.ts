import { extname } from "node:path";
import { fileURLToPath } from "node:url";

/** The rotation.yaml of the package, whatever folder the command runs in. */
export const SHIPPED_POLICY = fileURLToPath(new URL("../../rotation.yaml", import.meta.url));

/** What `rotate init` writes. */
export const STARTER_POLICY = fileURLToPath(
  new URL("../../config/examples/single-service.yaml", import.meta.url),
);

/** The example for ARouter, which does for its sandbox what rotation.yaml does for OpenRouter's. */
export const SHIPPED_AROUTER_POLICY = fileURLToPath(
  new URL("../../config/examples/arouter.yaml", import.meta.url),
);

/** This very program's entry, of the sources or of the build. */
export const OWN_PROGRAM = fileURLToPath(new URL(`../cli${extname(import.meta.filename)}`, import.meta.url));
