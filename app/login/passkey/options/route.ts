// POST /login/passkey/options: starts a login with a passkey. 200 with the WebAuthn request options.

import { write } from "#lib/db/database.ts";
import { findClientAddress } from "#lib/http/client-address.ts";
import { assertSameOrigin } from "#lib/http/csrf.ts";
import { withErrorResponse } from "#lib/http/error-response.ts";
import { ceremonyCookie } from "#lib/members/cookies.ts";
import { consumePasskeyRequest } from "#lib/members/limiters.ts";
import { startCeremony } from "#lib/members/webauthn-challenge.ts";
import { createAuthenticationOptions } from "#lib/members/webauthn.ts";
import { ensurePrimary } from "#lib/replication/ensure-primary.ts";

export function POST(request: Request): Promise<Response> {
  return withErrorResponse(request, async () => {
    assertSameOrigin(request);
    await ensurePrimary();
    consumePasskeyRequest(findClientAddress(request));
    const { browserId, challenge } = await write((tx) => startCeremony(tx, null));
    await ceremonyCookie.set(browserId);
    return Response.json(await createAuthenticationOptions(challenge), {
      headers: { "cache-control": "no-store" },
    });
  });
}
