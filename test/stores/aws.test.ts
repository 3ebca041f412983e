import { randomUUID } from "node:crypto";
import { SecretsManager } from "@aws-sdk/client-secrets-manager";
import { systemClock } from "../../src/lib/clock.ts";
import { SecretsManagerModel } from "../aws/model.ts";
import { clientOf, serveSecretsManager } from "../aws/serve.ts";
import { describeStore } from "../conformance/store.ts";
import { awsBench } from "./aws-bench.ts";

const CAPABILITIES = { firstVersionIsCurrent: true, editsAreVersions: true, editsKeepLabels: true };

describeStore(
  "the AWS store on the model of Secrets Manager",
  async () => {
    const served = await serveSecretsManager(new SecretsManagerModel({ clock: systemClock }));
    const client = clientOf(served.url);
    return awsBench(client, "", async () => {
      client.destroy();
      await served.close();
    });
  },
  CAPABILITIES,
);

if (process.env.KEYTURN_TEST_AWS === "1") {
  describeStore(
    "the AWS store on AWS",
    async () => {
      const client = new SecretsManager({});
      return awsBench(client, `keyturn-test-${randomUUID()}/`, async () => client.destroy());
    },
    CAPABILITIES,
  );
}

const moto = process.env.KEYTURN_TEST_MOTO;
if (moto) {
  describeStore(
    "the AWS store on moto",
    async () => {
      const client = clientOf(moto);
      return awsBench(client, `keyturn-test-${randomUUID()}/`, async () => client.destroy());
    },
    // moto takes the labels off the version that a put without labels replaces; AWS does not.
    { ...CAPABILITIES, editsKeepLabels: false },
  );
}
