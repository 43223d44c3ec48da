// POST /me/passkeys/options: begins to add a passkey. 200 with what the browser needs to make one.

import { setCeremonyCookie } from "#lib/members/cookies/ceremony-cookie.ts";
import { consumePasskeyRequest } from "#lib/members/passkey-limiter.ts";
import { withErrorResponse } from "#lib/http/error-response.ts";
import { writeAuthorized } from "#lib/members/write-authorized.ts";
import { ensurePrimary } from "#lib/replication/ensure-primary.ts";
import { startCeremony } from "#lib/members/webauthn-challenge.ts";
import { createRegistrationOptions } from "#lib/members/webauthn.ts";
import { listExcludedCredentials } from "#lib/members/passkeys.ts";
import { getProfile } from "#lib/members/profile.ts";
import { assertSameOrigin } from "#lib/http/csrf.ts";
import { readSessionCookies, requireMember } from "#lib/members/session/session.ts";

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
