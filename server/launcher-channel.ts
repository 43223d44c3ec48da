// Connects the site to its launcher, over IPC: answers pings from the event loop, and receives
// whether this node holds the lease.

import { setLeaseConfirmer, setLeaseExpiry } from "#lib/replication/lease.ts";
import type { Position } from "#lib/replication/litefs-node-state.ts";
import type { MessageFromSite, MessageToSite } from "./launcher-messages.ts";

/** The launcher's own requests to the lease service take at most two seconds each. */
const CONFIRM_TIMEOUT_MS = 3_000;

/**
 * Does nothing without a launcher. Returns a function to call once the site is listening. Pings are
 * answered only after that, and the launcher allows more time for the first answer.
 */
export function connectToLauncher(): () => void {
  if (!process.send) return () => undefined;
  const send = (message: MessageFromSite) => process.send!(message, undefined, {}, () => undefined);
  const pending = new Map<number, (isConfirmed: boolean) => void>();
  let isListening = false;
  let lastId = 0;
  const confirm = (position: Position) =>
    new Promise<boolean>((resolve) => {
      const id = (lastId += 1);
      const end = (isConfirmed: boolean) => {
        clearTimeout(timer);
        pending.delete(id);
        resolve(isConfirmed);
      };
      const timer = setTimeout(() => end(false), CONFIRM_TIMEOUT_MS);
      pending.set(id, end);
      send({ kind: "confirm", id, position });
    });
  setLeaseConfirmer(confirm);
  process.on("message", (message: MessageToSite) => {
    if (message.kind === "lease") setLeaseExpiry(message.validUntilMs);
    else if (message.kind === "confirmed") pending.get(message.id)?.(message.isConfirmed);
    else if (isListening) send({ kind: "pong", id: message.id });
  });
  // Without its launcher, the next one could not listen on the same port.
  process.once("disconnect", () => process.exit(1));
  return () => {
    isListening = true;
  };
}
