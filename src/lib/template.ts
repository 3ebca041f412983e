/**
 * `text` with each `{name}` replaced by `values[name]`. Braces around anything else stay as they
 * are, and what was filled in is not looked at again.
 */
export function fillTemplate(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) =>
    Object.hasOwn(values, name) ? (values[name] as string) : whole,
  );
}

/** Whether `text` holds `{name}` for any of the names. */
export function hasPlaceholder(text: string, names: readonly string[]): boolean {
  return names.some((name) => text.includes(`{${name}}`));
}
