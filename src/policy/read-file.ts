import { open } from "node:fs/promises";
import { refusedByNode } from "../lib/permissions.ts";
import { type Fault, PolicyError } from "./faults.ts";

/** A policy of tens of thousands of keys is smaller. */
const MOST_BYTES = 8 * 1024 * 1024;

/** The policy's text. Throws PolicyError when there is none to be had. */
export async function readPolicyFile(file: string): Promise<string> {
  const refuse = (message: string, hint?: string): never => {
    const fault: Fault = { file, line: 0, column: 0, path: "", message, ...(hint && { hint }) };
    throw new PolicyError(file, [fault]);
  };
  let bytes: Buffer;
  try {
    bytes = await readUpTo(file, MOST_BYTES + 1);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOENT" || code === "ENOTDIR") {
      return refuse(
        "there is no such file",
        "name the policy with --policy FILE or KEYTURN_POLICY, or write one: rotate init",
      );
    }
    if (code === "EISDIR")
      return refuse(
        "this is a directory; accepted: a file",
        `did you mean ${file.replace(/\/+$/, "")}/rotation.yaml?`,
      );
    if (code === "EACCES") return refuse("this user may not read the file", "change its owner or mode");
    const refused = refusedByNode(error);
    if (refused) return refuse("keyturn may not read the file", refused.hint);
    return refuse(`the file cannot be read (${code ?? String(error)})`);
  }
  if (bytes.length > MOST_BYTES)
    return refuse(`the file is larger than ${MOST_BYTES / 1024 / 1024} MiB; is it the policy?`);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return refuse("the file is no text in UTF-8");
  }
}

async function readUpTo(file: string, most: number): Promise<Buffer> {
  await using handle = await open(file, "r");
  const chunks: Buffer[] = [];
  let total = 0;
  while (total < most) {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(65_536), 0, 65_536, null);
    if (bytesRead === 0) break;
    chunks.push(buffer.subarray(0, bytesRead));
    total += bytesRead;
  }
  return Buffer.concat(chunks);
}
