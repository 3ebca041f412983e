import { awsPlace } from "./aws-place.ts";
import { proveKills } from "./prove.ts";

proveKills("AWS Secrets Manager", awsPlace, /^aws\.updateSecretVersionStage/);
