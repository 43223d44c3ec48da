// POST /me/passkeys/options: begins to add a passkey. 200 with what the browser needs to make one.

import { setCeremonyCookie } from "../../../login/passkey/ceremony-cookie.ts";
import { consumePasskeyRequest } from "../../../login/passkey/limits.ts";
import { withErrorResponse } from "#lib/action/answer.ts";
import { writeAuthorized } from "#lib/action/write-as.ts";
import { ensurePrimary } from "#lib/primary/ensure-primary.ts";
import { startCeremony } from "#lib/members/passkeys-ceremony.ts";
import { createRegistrationOptions } from "#lib/members/passkeys-webauthn.ts";
import { listExcludedCredentials } from "#lib/members/passkeys.ts";
import { getProfile } from "#lib/members/profile.ts";
import { assertSameOrigin } from "#lib/session/same-origin.ts";
import { readSessionCookies, requireMember } from "#lib/session/session.ts";

export function POST(request: Request): Promise<Response> {
  return withErrorResponse(request, async () => {
    assertSameOrigin(request);
    await ensurePrimary();
    consumePasskeyRequest(request, (await requireMember()).id);
    const begun = await writeAuthorized(
      await readSessionCookies(),
      { who: "member", recent: true },
      (sql, { id, firstName }) => ({
        known: listExcludedCredentials(sql, id),
        member: { id, firstName, email: getProfile(sql, id).email },
        ...startCeremony(sql, id),
      }),
    );
    await setCeremonyCookie(begun.browser);
    return Response.json(await createRegistrationOptions(begun), {
      headers: { "cache-control": "no-store" },
    });
  });
}
