import { RotationError } from "../../lib/errors.ts";

const NO_CONNECTION = new Set(["ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH", "ENOTFOUND", "EAI_AGAIN"]);
const CERTIFICATE = /^(CERT_|SELF_SIGNED|DEPTH_ZERO_SELF|UNABLE_TO_|ERR_TLS_CERT_|HOSTNAME_MISMATCH)/;

/** An exchange that ended without an answer: `unreachable` only where the request itself cannot have been sent. */
export function connectionError(
  thrown: { code: string | undefined; message: string },
  what: string,
  cause: unknown,
): RotationError {
  const { code = "", message } = thrown;
  const unreachable = (why: string, hint: string) =>
    new RotationError("unreachable", `${what} made no connection: ${why}`, { hint, cause });

  if (/^ERR_PROXY/.test(code))
    return unreachable(`the proxy refused it (${code})`, "check HTTPS_PROXY, its credentials and NO_PROXY");
  if (CERTIFICATE.test(code))
    return unreachable(
      `the certificate is not trusted (${code})`,
      "behind a TLS-inspecting proxy, name its authority's PEM file in NODE_EXTRA_CA_CERTS",
    );
  if (NO_CONNECTION.has(code))
    return unreachable(code, "check region, endpoint, and HTTPS_PROXY where a proxy is needed");
  if (/did not establish a connection/.test(message))
    return unreachable(
      "nothing answered in time",
      "check the network, and HTTPS_PROXY where a proxy is needed",
    );
  return new RotationError("unclear", `${what} got no whole answer (${code || message.slice(0, 200)})`, {
    cause,
  });
}
