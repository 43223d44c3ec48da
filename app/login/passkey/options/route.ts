// POST /login/passkey/options: begins a log-in with a passkey. 200 with what the browser needs to ask for one.

import { setCeremonyCookie } from "#lib/members/cookies/ceremony-cookie.ts";
import { consumePasskeyRequest } from "#lib/members/passkey-limiter.ts";
import { withErrorResponse } from "#lib/http/error-response.ts";
import { writeSql } from "#lib/db/database.ts";
import { startCeremony } from "#lib/members/webauthn-challenge.ts";
import { createAuthenticationOptions } from "#lib/members/webauthn.ts";
import { ensurePrimary } from "#lib/replication/ensure-primary.ts";
import { assertSameOrigin } from "#lib/http/csrf.ts";

export function POST(request: Request): Promise<Response> {
  return withErrorResponse(request, async () => {
    assertSameOrigin(request);
    await ensurePrimary();
    consumePasskeyRequest(request);
    const { browser, challenge } = await writeSql((sql) => startCeremony(sql, null));
    await setCeremonyCookie(browser);
    return Response.json(await createAuthenticationOptions(challenge), {
      headers: { "cache-control": "no-store" },
    });
  });
}
