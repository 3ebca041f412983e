import { createHash } from "node:crypto";

/** Namespace of the UUIDs below; any fixed value does. */
const NAMESPACE = Buffer.from("6f0b1c6e2f2d4d0b9b0e5a6a1c5d7e31", "hex");

/**
 * The id of the version that a rotation stages (R9): UUIDv5 of rotation, key hash and base. The
 * same three give the same id, so a repeat is a no-op; another base gives a new version.
 */
export function versionToken(rotation: string, hash: string, base: string): string {
  return uuid5(JSON.stringify([rotation, hash, base]));
}

/** The id of a version that a person wrote over `base`; the same text over the same base has the same id. */
export function editToken(base: string, text: string): string {
  return `edit-${uuid5(JSON.stringify(["edit", base, text]))}`;
}

function uuid5(name: string): string {
  const bytes = createHash("sha1").update(NAMESPACE).update(name).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x50, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
