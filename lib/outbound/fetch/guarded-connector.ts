// Opens the connections of the guarded fetch (SSRF protection).

import { type LookupFunction, type Socket, connect as connectTcp } from "node:net";
import { connect as connectTls } from "node:tls";
import type { buildConnector } from "undici";
import { AppError } from "#lib/core/errors.ts";
import { type NetworkPolicy, isAllowedPrivate, resolveHost } from "./network-policy.ts";
import { isPublicAddress } from "./public-address.ts";

/**
 * Returns a connector that connects only to the checked addresses, against DNS rebinding. It adds
 * sockets to `sockets`, because undici does not destroy sockets that are still connecting.
 */
export function createGuardedConnector(
  network: NetworkPolicy,
  signal: AbortSignal,
  sockets: Set<Socket>,
): buildConnector.connector {
  return ({ hostname, protocol, port, servername }, callback) => {
    const isSecure = protocol === "https:";
    const host = hostname.replace(/^\[|\]$/g, "").replace(/\.$/, "");
    const portNumber = Number(port) || (isSecure ? 443 : 80);
    resolveHost(host, portNumber, network, signal)
      .then((addresses) => {
        signal.throwIfAborted();
        const lookup: LookupFunction = (_name, { all }, done) => {
          const [first] = addresses;
          if (all) done(null, [...addresses]);
          else done(null, first!.address, first!.family);
        };
        const target = { host, port: portNumber, autoSelectFamily: true, lookup };
        const socket = isSecure
          ? connectTls({
              ...target,
              servername: servername || undefined,
              ALPNProtocols: ["http/1.1"],
            })
          : connectTcp(target);
        sockets.add(socket);
        const onError = (error: Error) => callback(error, null);
        socket.setNoDelay(true).once("error", onError);
        socket.once(isSecure ? "secureConnect" : "connect", () => {
          socket.off("error", onError);
          // Check the connected address again before sending anything.
          if (
            !isAllowedPrivate(network, host, portNumber) &&
            !isPublicAddress(socket.remoteAddress ?? "")
          ) {
            socket.destroy();
            callback(
              new AppError("invalid", `${host} is not a public host.`, { field: "url" }),
              null,
            );
            return;
          }
          callback(null, socket);
        });
      })
      .catch((error: Error) => callback(error, null));
  };
}
