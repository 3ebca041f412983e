/**
 * The value that a JSON pointer (RFC 6901: `/a/0/b`, `~1` for `/`, `~0` for `~`, the empty pointer
 * for the whole) names in a parsed JSON document; undefined when there is none.
 */
export function readPointer(document: unknown, pointer: string): unknown {
  if (pointer === "") return document;
  if (!pointer.startsWith("/")) return undefined;
  let value = document;
  for (const token of pointer.slice(1).split("/")) {
    const name = token.replaceAll("~1", "/").replaceAll("~0", "~");
    if (Array.isArray(value)) {
      if (!/^(0|[1-9]\d*)$/.test(name)) return undefined;
      value = value[Number(name)];
    } else if (typeof value === "object" && value !== null && Object.hasOwn(value, name)) {
      value = (value as Record<string, unknown>)[name];
    } else {
      return undefined;
    }
  }
  return value;
}
