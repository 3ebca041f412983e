import { expect, it } from "vitest";
import { asRotationError, RotationError } from "../../src/lib/errors.ts";
import { permissionOptions, withAllowed } from "../../src/lib/permissions.ts";

const NOTHING = { read: [], write: [], childProcess: false };

/** As Node throws it. */
function refusal(permission: string, resource: string): Error {
  return Object.assign(new Error("Access to this API has been restricted."), {
    code: "ERR_ACCESS_DENIED",
    permission,
    resource,
  });
}

it("allows folders with all that is in them, and reading whatever may be written", () => {
  const permissions = { read: ["/app/"], write: ["/data"], childProcess: false };
  expect(permissionOptions(permissions)).toEqual([
    "--permission",
    "--allow-fs-read=/app/*",
    "--allow-fs-read=/data/*",
    "--allow-fs-write=/data/*",
  ]);
});

it("adds what a user allows to what the image allows", () => {
  const env = {
    KEYTURN_ALLOW_READ: "/srv/a:/srv/b",
    KEYTURN_ALLOW_WRITE: "/srv/keys",
    KEYTURN_ALLOW_CHILD_PROCESS: "1",
  };
  expect(withAllowed({ ...NOTHING, read: ["/app"] }, env)).toEqual({
    read: ["/app", "/srv/a", "/srv/b"],
    write: ["/srv/keys"],
    childProcess: true,
  });
});

it("allows nothing more for variables that are empty, nor programs for any other word than 1", () => {
  const env = { KEYTURN_ALLOW_READ: "", KEYTURN_ALLOW_WRITE: ":", KEYTURN_ALLOW_CHILD_PROCESS: "false" };
  expect(withAllowed(NOTHING, env)).toEqual(NOTHING);
});

it.each([
  ["FileSystemRead", "/srv/keys", "KEYTURN_ALLOW_READ=/srv/keys"],
  ["FileSystemWrite", "/srv/keys", "KEYTURN_ALLOW_WRITE=/srv/keys"],
  ["ChildProcess", "/usr/bin/check", "KEYTURN_ALLOW_CHILD_PROCESS=1"],
])("a refused %s is forbidden, and the hint allows it", (permission, resource, said) => {
  const { code, message, hint } = asRotationError(refusal(permission, resource));
  expect(code).toBe("forbidden");
  expect(message).toContain(resource);
  expect(hint).toContain(said);
});

it("what else Node refuses is forbidden in Node's own words", () => {
  const { code, message } = asRotationError(refusal("WorkerThreads", ""));
  expect([code, message]).toEqual(["forbidden", "Access to this API has been restricted."]);
});

it("an error that a refusal has caused says how to allow it, not what its thrower would advise", () => {
  const cause = refusal("FileSystemRead", "/srv/ca.pem");
  const error = new RotationError("unusable", "tls.ca cannot be read", { hint: "check its mode", cause });
  expect(error.hint).toContain("KEYTURN_ALLOW_READ=/srv/ca.pem");
});
