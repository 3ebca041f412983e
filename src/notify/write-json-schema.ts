import { writeFileSync } from "node:fs";
import { notificationJsonSchema } from "./schema.ts";

const file = new URL("../../config/notification.schema.json", import.meta.url);
writeFileSync(file, `${JSON.stringify(notificationJsonSchema(), null, 2)}\n`);
