// How often one client may begin and answer a ceremony, and one member add a passkey.

import { MINUTE_MS, nowMs } from "#lib/base/clock.ts";
import { Limit, takeAll } from "#lib/base/limit.ts";
import { clientOf } from "#lib/base/network.ts";
import { clientAddress } from "#lib/session/client-address.ts";

// One per process, also where development loads this module anew. A log-in takes two requests, and many share an address.
const shared = globalThis as { __lecternPasskeyLimits?: { perClient: Limit; perMember: Limit } };
const limits = () =>
  (shared.__lecternPasskeyLimits ??= {
    perClient: new Limit(60, 10 * MINUTE_MS),
    perMember: new Limit(40, 10 * MINUTE_MS),
  });

/** Counts one request of the client, and of the member where there is one. Throws AppError(rate_limited) when it is one too many. */
export function takePasskeyRequest(
  request: { readonly headers: Headers },
  memberId?: string,
): void {
  const address = clientAddress(request);
  const { perClient, perMember } = limits();
  takeAll(
    [
      [perClient, address ? clientOf(address) : "unknown"],
      ...(memberId ? [[perMember, memberId] as const] : []),
    ],
    nowMs(),
    "Too many tries. Wait some minutes, or log in by mail.",
  );
}
