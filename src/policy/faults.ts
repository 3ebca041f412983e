import { styleText } from "node:util";
import { RotationError } from "../lib/errors.ts";

/** One thing wrong with a policy. */
export interface Fault {
  /** As it was named. */
  file: string;
  /** From 1; 0 when the fault is the file's as a whole. */
  line: number;
  column: number;
  /** `keys[0].confirm.timeout`; empty when it is about no field. */
  path: string;
  /** What was found, and what is accepted. */
  message: string;
  /** What to do about it: a nearest word, another way. */
  hint?: string;
  /** The line it stands on, secrets taken out, and where in it the fault begins (from 0). */
  excerpt?: { text: string; caret: number };
}

/** Something that is allowed and may surprise. */
export interface PolicyNote {
  path: string;
  line: number;
  column: number;
  message: string;
}

/** The policy is invalid, in all these ways. Holds no secret, not even one that the file held. */
export class PolicyError extends RotationError {
  readonly faults: readonly Fault[];

  constructor(file: string, faults: readonly Fault[]) {
    const [first, ...more] = faults;
    const what = [first?.path, first?.message].filter(Boolean).join(": ");
    const others = more.length > 0 ? ` (and ${more.length} more)` : "";
    super("policy-invalid", `${file}${first?.line ? `:${first.line}` : ""}: ${what}${others}`, {
      hint: first?.hint,
    });
    this.faults = faults;
  }
}

/** The most faults that are printed; more than that have a common cause. */
const MOST_PRINTED = 50;

/** Every fault as `file:line:column  path: message`, the line it stands on with a caret, and its hint. */
export function formatFaults(error: PolicyError, options: { color: boolean }): string {
  const paint = (style: Parameters<typeof styleText>[0], text: string) =>
    options.color ? styleText(style, text, { validateStream: false }) : text;
  const blocks = error.faults.slice(0, MOST_PRINTED).map((fault) => {
    const where = fault.line > 0 ? `${fault.file}:${fault.line}:${fault.column}` : fault.file;
    const lines = [
      `${paint("bold", where)}  ${fault.path ? `${fault.path}: ` : ""}${paint("red", fault.message)}`,
    ];
    if (fault.excerpt) {
      const gutter = String(fault.line).padStart(5);
      lines.push(`${paint("dim", `${gutter} |`)} ${fault.excerpt.text}`);
      lines.push(
        `${paint("dim", `${" ".repeat(gutter.length)} |`)} ${" ".repeat(fault.excerpt.caret)}${paint("red", "^")}`,
      );
    }
    if (fault.hint) lines.push(`      ${paint("cyan", fault.hint)}`);
    return lines.join("\n");
  });
  const rest = error.faults.length - MOST_PRINTED;
  if (rest > 0) blocks.push(`and ${rest} more`);
  return blocks.join("\n");
}
