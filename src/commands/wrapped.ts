/** What stands after the lists of a help is left as it is written. */
const END = "\n\nExamples:\n";
/** Nothing is put into a narrower column than this. */
const NARROWEST = 40;

/** The text of a help, which has a line for each option and command, for a terminal of `width` columns. */
export function wrapped(text: string, width: number): string {
  const end = text.indexOf(END);
  const lines = text.slice(0, end).split("\n");
  return lines.map((line) => wrappedLine(line, width)).join("\n") + text.slice(end);
}

function wrappedLine(line: string, width: number): string {
  const [term = ""] = /^ {2}\S.*? {2,}/.exec(line) ?? [];
  const room = width - term.length;
  if (room < NARROWEST) return line;
  const broken = line.slice(term.length).replace(new RegExp(`(.{1,${room}})(?:\\s+|$)`, "g"), "$1\n");
  return term + broken.trimEnd().replaceAll("\n", `\n${" ".repeat(term.length)}`);
}
