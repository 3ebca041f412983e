import { join } from "node:path";
import { describeStore } from "../conformance/store.ts";
import { editByHand, openStore, temporaryFolder, writeByHand } from "./file-bench.ts";

describeStore(
  "the file store",
  async () => {
    const path = join(temporaryFolder(), "secrets");
    return {
      store: openStore(path),
      another: async () => openStore(path),
      write: async (ref, value) => editByHand(path, ref, value),
      overwrite: async (ref, text) => writeByHand(path, ref, text),
      close: async () => {},
    };
  },
  { firstVersionIsCurrent: false, editsAreVersions: false, editsKeepLabels: true },
);
