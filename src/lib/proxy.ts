import { RotationError } from "./errors.ts";

type Env = Readonly<Record<string, string | undefined>>;
/** Missing before Node 24.14. */
type ProxySetter = { setGlobalProxyFromEnv?: (env: Record<string, string | undefined>) => unknown };

/**
 * Makes the global fetch and Node's global agents go through HTTPS_PROXY and HTTP_PROXY, except
 * for NO_PROXY, when `env` sets any (in either case). Call it once, before the first request.
 * Throws RotationError `unusable` on a Node that cannot, rather than going around the proxy.
 */
export function useProxyFromEnv(env: Env, http?: ProxySetter): void {
  const wanted = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"].find((name) => env[name]);
  if (!wanted || env.NODE_USE_ENV_PROXY === "1") return;
  // Loaded only where it is needed: most commands end without a request.
  const { setGlobalProxyFromEnv }: ProxySetter = http ?? process.getBuiltinModule("node:http");
  if (!setGlobalProxyFromEnv) {
    throw new RotationError(
      "unusable",
      `${wanted} is set, but Node ${process.versions.node} cannot take it up by itself`,
      {
        hint: "update Node to 24.14 or newer, or set NODE_USE_ENV_PROXY=1",
      },
    );
  }
  try {
    setGlobalProxyFromEnv({ ...env });
  } catch {
    // The cause quotes the value, and a proxy's URL may hold a password.
    throw new RotationError("unusable", `${wanted} is not the URL of a proxy`, {
      hint: "give it as http://host:port, or unset it",
    });
  }
}
