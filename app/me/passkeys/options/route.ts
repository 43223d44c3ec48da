// POST /me/passkeys/options: starts adding a passkey. 200 with the WebAuthn creation options.

import { findClientAddress } from "#lib/http/client-address.ts";
import { assertSameOrigin } from "#lib/http/csrf.ts";
import { withErrorResponse } from "#lib/http/error-response.ts";
import { ceremonyCookie } from "#lib/members/cookies.ts";
import { consumePasskeyRequest } from "#lib/members/limiters.ts";
import { listExcludedCredentials } from "#lib/members/passkeys.ts";
import { getProfile } from "#lib/members/profile.ts";
import { readSessionCookies, requireMember } from "#lib/members/viewer.ts";
import { startCeremony } from "#lib/members/webauthn-challenge.ts";
import { createRegistrationOptions } from "#lib/members/webauthn.ts";
import { writeAuthorized } from "#lib/members/write-authorized.ts";
import { ensurePrimary } from "#lib/replication/ensure-primary.ts";

export function POST(request: Request): Promise<Response> {
  return withErrorResponse(request, async () => {
    assertSameOrigin(request);
    await ensurePrimary();
    consumePasskeyRequest(findClientAddress(request), (await requireMember()).id);
    const { browserId, ...ceremony } = await writeAuthorized(
      await readSessionCookies(),
      { role: "member", isRecentLogin: true },
      async (tx, { id, firstName }) => ({
        excludedCredentials: await listExcludedCredentials(tx, id),
        member: { id, firstName, email: (await getProfile(tx, id)).email },
        ...(await startCeremony(tx, id)),
      }),
    );
    await ceremonyCookie.set(browserId);
    return Response.json(await createRegistrationOptions(ceremony), {
      headers: { "cache-control": "no-store" },
    });
  });
}
