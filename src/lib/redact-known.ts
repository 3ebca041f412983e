import type { Secret } from "./secret.ts";

/** A piece of a known secret as long as this, in characters, is taken out; a shorter one tells too little. */
const PIECE = 12;

/** `text` with `[secret]` in place of `secret`, of every piece of it, and of both in the encodings that an answer may echo it in. */
export function withoutKnown(text: string, secret: Secret): string {
  const plain = secret.reveal();
  if (plain === "") return text;
  const size = Math.min(PIECE, plain.length);
  const pieces = new Set<string>();
  for (const form of [plain, ...encodings(plain)]) {
    for (let at = 0; at + size <= form.length; at++) pieces.add(form.slice(at, at + size));
  }
  let out = "";
  let end = 0;
  let inside = false;
  for (let at = 0; at + size <= text.length; at++) {
    // Pieces that overlap or touch are one.
    if (at > end) inside = false;
    if (!pieces.has(text.slice(at, at + size))) continue;
    if (!inside) out += `${text.slice(end, at)}[secret]`;
    inside = true;
    end = at + size;
  }
  return out + text.slice(end);
}

/** None for one that is shorter than a piece: what is left of it would be in any text. */
function encodings(plain: string): string[] {
  if (plain.length < PIECE) return [];
  const bytes = Buffer.from(plain);
  return [
    JSON.stringify(plain).slice(1, -1),
    encodeURIComponent(plain.toWellFormed()),
    bytes.toString("hex"),
    ...[0, 1, 2].flatMap((offset) => base64At(bytes, offset)),
  ];
}

/** What of a base64 text is due to `bytes` alone when they stand at an offset, modulo three, of what is encoded. */
function base64At(bytes: Buffer, offset: number): string[] {
  const whole = Buffer.concat([Buffer.alloc(offset), bytes]);
  return (["base64", "base64url"] as const).map((encoding) =>
    whole
      .toString(encoding)
      .replace(/=+$/, "")
      .slice(offset === 0 ? 0 : offset + 1, -1),
  );
}
