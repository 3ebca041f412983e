import { memoryPlace } from "./memory-place.ts";
import { proveKills } from "./prove.ts";

proveKills("memory store", memoryPlace, /^store\./);
