// POST /login/passkey/options: begins a log-in with a passkey. 200 with what the browser needs to ask for one.

import { setCeremonyCookie } from "../ceremony-cookie.ts";
import { takePasskeyRequest } from "../limits.ts";
import { answer } from "#lib/action/answer.ts";
import { writeSql } from "#lib/db/database.ts";
import { beginCeremony } from "#lib/members/passkeys-ceremony.ts";
import { loginOptions } from "#lib/members/passkeys-webauthn.ts";
import { ensurePrimary } from "#lib/primary/ensure-primary.ts";
import { assertSameOrigin } from "#lib/session/same-origin.ts";

export function POST(request: Request): Promise<Response> {
  return answer(request, async () => {
    assertSameOrigin(request);
    await ensurePrimary();
    takePasskeyRequest(request);
    const { browser, challenge } = await writeSql((sql) => beginCeremony(sql, null));
    await setCeremonyCookie(browser);
    return Response.json(await loginOptions(challenge), {
      headers: { "cache-control": "no-store" },
    });
  });
}
