// POST /login/passkey/options: begins a log-in with a passkey. 200 with what the browser needs to ask for one.

import { setCeremonyCookie } from "../ceremony-cookie.ts";
import { consumePasskeyRequest } from "../limits.ts";
import { withErrorResponse } from "#lib/action/answer.ts";
import { writeSql } from "#lib/db/database.ts";
import { startCeremony } from "#lib/members/passkeys-ceremony.ts";
import { createAuthenticationOptions } from "#lib/members/passkeys-webauthn.ts";
import { ensurePrimary } from "#lib/primary/ensure-primary.ts";
import { assertSameOrigin } from "#lib/session/same-origin.ts";

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
