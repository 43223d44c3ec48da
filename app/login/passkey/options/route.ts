// POST /login/passkey/options: starts a login with a passkey. 200 with the WebAuthn request options.
// Writes nothing, because the login page requests them before anyone asks for a passkey.

import { read } from "#lib/db/database.ts";
import { assertSameOrigin } from "#lib/http/csrf.ts";
import { withErrorResponse } from "#lib/http/error-response.ts";
import { ceremonyCookie } from "#lib/members/cookies.ts";
import { continueCeremony } from "#lib/members/webauthn-challenge.ts";
import { createAuthenticationOptions } from "#lib/members/webauthn.ts";

export function POST(request: Request): Promise<Response> {
  return withErrorResponse(request, async () => {
    assertSameOrigin(request);
    const cookie = await ceremonyCookie.read();
    const ceremony = await read((tx) => continueCeremony(tx, { cookie, userId: null }));
    await ceremonyCookie.set(ceremony.cookie);
    return Response.json(await createAuthenticationOptions(ceremony), {
      headers: { "cache-control": "no-store" },
    });
  });
}
