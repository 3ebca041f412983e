import { asRotationError, type ErrorCode, messageOf, RotationError } from "../../lib/errors.ts";

/** SQLite's primary result codes that mean something to an operator. */
const BY_SQLITE_CODE: Readonly<Record<number, ErrorCode>> = {
  1: "unusable", // ERROR: our statements are sound, so the file has another format or schema than ours
  3: "forbidden", // PERM
  5: "busy", // BUSY
  6: "busy", // LOCKED
  8: "forbidden", // READONLY
  10: "unclear", // IOERR
  11: "unusable", // CORRUPT
  13: "full", // FULL
  14: "forbidden", // CANTOPEN
  15: "busy", // PROTOCOL: lost a race for a lock, over and over
  23: "forbidden", // AUTH
  26: "unusable", // NOTADB
};
/** IOERR_SHMSIZE: the shared-memory file could not grow, which is how a full disk shows in WAL mode. */
const SHARED_MEMORY_TOO_SMALL = 4874;

const BY_ERRNO: Readonly<Record<string, ErrorCode>> = {
  EACCES: "forbidden",
  EPERM: "forbidden",
  EROFS: "forbidden",
  ENOSPC: "full",
  EDQUOT: "full",
  ENOTDIR: "unusable",
  EEXIST: "unusable",
  EISDIR: "unusable",
  ELOOP: "unusable",
  ENAMETOOLONG: "unusable",
};

const SAYS: Partial<Record<ErrorCode, { what: string; hint: string }>> = {
  busy: {
    what: "is locked by another process",
    hint: "wait for the other keyturn to finish its write, or find what keeps the file open",
  },
  forbidden: {
    what: "cannot be opened or written",
    hint: "give this user the right to read and write the file and its folder",
  },
  full: { what: "has no space left to write to", hint: "free some space on that disk; nothing was lost" },
  unusable: {
    what: "cannot be used",
    hint: "restore it from a copy, or move it away and start anew with --take-over; the file was left as it is",
  },
  unclear: {
    what: "met an error of the disk",
    hint: "check the disk; the last write may or may not be there",
  },
};

/** Whatever SQLite or the file system threw, as a RotationError that names the journal. */
export function journalFault(thrown: unknown, path: string): RotationError {
  if (thrown instanceof RotationError) return thrown;
  const error = thrown as { errcode?: number; code?: string; message?: string };
  const code = codeOf(error);
  const says = code && SAYS[code];
  if (!code || !says) return asRotationError(thrown);
  if (code === "unusable" && error.errcode === undefined) return wrongPath(path, thrown);
  const detail = error.errcode === undefined ? error.code : error.message;
  return new RotationError(code, `the journal ${path} ${says.what} (${detail})`, {
    hint: says.hint,
    cause: thrown,
  });
}

/** What was committed may be lost with the next power cut: `cause` kept the disk from taking it. */
export function refusedByDisk(path: string, cause: unknown): RotationError {
  const { what, hint } = SAYS.unclear as { what: string; hint: string };
  const detail = (cause as NodeJS.ErrnoException).code ?? messageOf(cause);
  return new RotationError("unclear", `the journal ${path} ${what} (${detail})`, { hint, cause });
}

/** The path leads to no place for a file: it is a folder, or leads through a file. */
function wrongPath(path: string, cause: unknown): RotationError {
  const { code } = cause as NodeJS.ErrnoException;
  return new RotationError("unusable", `the journal ${path} cannot be made: ${WHY[code ?? ""] ?? code}`, {
    hint: "choose another path for it in the policy, or move away what is there",
    cause,
  });
}

const WHY: Readonly<Record<string, string>> = {
  ENOTDIR: "something in its path is not a folder",
  EEXIST: "something in its path is not a folder",
  EISDIR: "a folder is in its place",
  ELOOP: "its path leads through a loop of links",
  ENAMETOOLONG: "its name is too long",
};

function codeOf(error: { errcode?: number; code?: string }): ErrorCode | undefined {
  if (error.errcode === SHARED_MEMORY_TOO_SMALL) return "full";
  if (error.errcode !== undefined) return BY_SQLITE_CODE[error.errcode & 0xff];
  return error.code === undefined ? undefined : BY_ERRNO[error.code];
}

/** A journal file that is there and must not be used, for `why`. */
export function unusableJournal(path: string, why: string, hint = SAYS.unusable?.hint): RotationError {
  return new RotationError("unusable", `the journal ${path} ${why}`, { hint });
}
