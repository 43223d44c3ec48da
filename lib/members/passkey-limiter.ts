// How often one client may begin and answer a ceremony, and one member add a passkey.

import { MINUTE_MS, nowMs } from "#lib/core/clock.ts";
import { RateLimiter, consume } from "#lib/core/rate-limit.ts";
import { clientKey } from "#lib/http/client-key.ts";
import { getClientAddress } from "#lib/http/client-address.ts";
import { singleton } from "#lib/core/singleton.ts";

// A log-in takes two requests, and many share an address.
const getPasskeyLimiters = () =>
  singleton("passkey-limiters", () => ({
    perClient: new RateLimiter(60, 10 * MINUTE_MS),
    perMember: new RateLimiter(40, 10 * MINUTE_MS),
  }));

/** Counts one request of the client, and of the member where there is one. Throws AppError(rate_limited) when it is one too many. */
export function consumePasskeyRequest(
  request: { readonly headers: Headers },
  memberId?: string,
): void {
  const address = getClientAddress(request);
  const { perClient, perMember } = getPasskeyLimiters();
  consume(
    [
      [perClient, address ? clientKey(address) : "unknown"],
      ...(memberId ? [[perMember, memberId] as const] : []),
    ],
    nowMs(),
    "Too many tries. Wait some minutes, or log in by mail.",
  );
}
