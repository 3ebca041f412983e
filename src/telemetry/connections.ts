import type { Server } from "node:http";
import type { Socket } from "node:net";

const MOST = 64;

/**
 * Bounds the connections of a server. One too many makes the oldest go, not the newest: who opens
 * many and says nothing cannot keep others out. `stays` excepts those that are bounded elsewhere.
 */
export function boundConnections(server: Server, stays: (socket: Socket) => boolean): void {
  const open = new Set<Socket>();
  server.on("connection", (socket) => {
    open.add(socket);
    socket.once("close", () => open.delete(socket));
    const passing = [...open].filter((one) => !stays(one));
    if (passing.length > MOST) passing[0]?.destroy();
  });
}
