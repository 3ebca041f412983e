import { kubernetesPlace } from "./kubernetes-place.ts";
import { proveKills } from "./prove.ts";

proveKills("Kubernetes", kubernetesPlace, /^kubernetes PATCH payments$/);
