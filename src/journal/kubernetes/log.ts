export type Log = (
  level: "debug" | "info" | "warn" | "error",
  fields: Record<string, unknown>,
  message: string,
) => void;
