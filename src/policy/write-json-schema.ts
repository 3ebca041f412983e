import { writeFileSync } from "node:fs";
import { editorSchema } from "./json-schema.ts";

const file = new URL("../../config/rotation.schema.json", import.meta.url);
writeFileSync(file, `${JSON.stringify(editorSchema(), null, 2)}\n`);
