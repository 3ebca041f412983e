import { RotationError } from "../../lib/errors.ts";

const ARN = /^arn:aws[\w-]*:secretsmanager:([a-z0-9-]+):\d{12}:secret:(.+)$/;

export function isArn(secret: string): boolean {
  return secret.startsWith("arn:");
}

/** Throws `unusable` for an ARN that names no secret, or one of another region than the store's. */
export function checkSecretId(secret: string, region: string): void {
  if (!isArn(secret)) return;
  const found = ARN.exec(secret)?.[1];
  if (found === undefined) {
    throw new RotationError("unusable", `${secret} is not the ARN of a secret`, {
      hint: "give the secret's name, or its ARN: arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME-SUFFIX",
    });
  }
  if (found !== region) {
    throw new RotationError("unusable", `secret ${secret} is in ${found}, and the store in ${region}`, {
      hint: `name a store with region: ${found}, or the secret's ARN in ${region}`,
    });
  }
}
