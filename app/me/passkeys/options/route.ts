// POST /me/passkeys/options: starts adding a passkey. 200 with the WebAuthn creation options.
// Writes nothing, because the account page requests them before anyone asks for a passkey.

import { read } from "#lib/db/database.ts";
import { assertSameOrigin } from "#lib/http/csrf.ts";
import { withErrorResponse } from "#lib/http/error-response.ts";
import { ceremonyCookie } from "#lib/members/cookies.ts";
import { listExcludedCredentials } from "#lib/members/passkeys.ts";
import { getProfile } from "#lib/members/profile.ts";
import { readSessionCookies } from "#lib/members/viewer.ts";
import { continueCeremony } from "#lib/members/webauthn-challenge.ts";
import { createRegistrationOptions } from "#lib/members/webauthn.ts";
import { requireViewer } from "#lib/members/write-authorized.ts";

export function POST(request: Request): Promise<Response> {
  return withErrorResponse(request, async () => {
    assertSameOrigin(request);
    const sessionIds = await readSessionCookies();
    const cookie = await ceremonyCookie.read();
    const { ceremony, ...registration } = await read(async (tx) => {
      const member = await requireViewer(tx, sessionIds, { role: "member", isRecentLogin: true });
      const { id, firstName } = member;
      return {
        excludedCredentials: await listExcludedCredentials(tx, id),
        member: { id, firstName, email: (await getProfile(tx, id)).email },
        ceremony: await continueCeremony(tx, { cookie, userId: id }),
      };
    });
    await ceremonyCookie.set(ceremony.cookie);
    return Response.json(await createRegistrationOptions({ ...registration, ...ceremony }), {
      headers: { "cache-control": "no-store" },
    });
  });
}
