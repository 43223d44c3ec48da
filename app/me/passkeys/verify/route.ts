// POST /me/passkeys/verify: stores the passkey in the browser's WebAuthn response. 200 {name}.

import { z } from "zod";
import { singleLineField } from "#lib/core/validate.ts";
import { findClientAddress } from "#lib/http/client-address.ts";
import { assertSameOrigin } from "#lib/http/csrf.ts";
import { withErrorResponse } from "#lib/http/error-response.ts";
import { readJson } from "#lib/http/read-json.ts";
import { ceremonyCookie } from "#lib/members/cookies.ts";
import { describeDevice } from "#lib/members/describe-device.ts";
import { consumePasskeyRequest } from "#lib/members/limiters.ts";
import { addPasskey, pickPasskeyName } from "#lib/members/passkeys.ts";
import { readSessionCookies, requireMember } from "#lib/members/viewer.ts";
import { consumeCeremonyChallenge } from "#lib/members/webauthn-challenge.ts";
import { RegistrationResponse, verifyRegistration } from "#lib/members/webauthn.ts";
import { writeAuthorized } from "#lib/members/write-authorized.ts";
import { ensurePrimary } from "#lib/replication/ensure-primary.ts";

const Body = z.object({
  response: RegistrationResponse,
  name: singleLineField({ label: "The name", maxLength: 60 }).optional(),
});
const REQUIREMENT = { role: "member", isRecentLogin: true } as const;

export function POST(request: Request): Promise<Response> {
  return withErrorResponse(request, async () => {
    assertSameOrigin(request);
    await ensurePrimary();
    consumePasskeyRequest(findClientAddress(request), (await requireMember()).id);
    const { response, name: requestedName } = await readJson(request, Body);
    const sessionIds = await readSessionCookies();
    const cookie = await ceremonyCookie.read();
    // Consumed before the response is verified, so that each challenge works only once.
    const ceremony = await writeAuthorized(sessionIds, REQUIREMENT, async (tx, { id: userId }) => ({
      challenge: await consumeCeremonyChallenge(tx, { cookie, userId }),
      userId,
    }));
    await ceremonyCookie.expire();
    const passkey = await verifyRegistration(response, ceremony);
    const storedName = await writeAuthorized(
      sessionIds,
      REQUIREMENT,
      async (tx, { id: userId }) => {
        const name =
          requestedName ??
          (await pickPasskeyName(tx, {
            userId,
            name: describeDevice(request).device.slice(0, 60),
          }));
        await addPasskey(tx, { ...passkey, userId, name });
        return name;
      },
    );
    return Response.json({ name: storedName }, { headers: { "cache-control": "no-store" } });
  });
}
