// POST /me/passkeys/verify: the browser's new passkey. 200 {name} when it is stored.

import { z } from "zod";
import { clearCeremonyCookie, readCeremonyCookie } from "#lib/members/cookies/ceremony-cookie.ts";
import { consumePasskeyRequest } from "#lib/members/passkey-limiter.ts";
import { readJson } from "#lib/http/read-json.ts";
import { withErrorResponse } from "#lib/http/error-response.ts";
import { writeAuthorized } from "#lib/members/write-authorized.ts";
import { singleLineField } from "#lib/core/validate.ts";
import { consumeCeremonyChallenge } from "#lib/members/webauthn-challenge.ts";
import { RegistrationResponse, verifyRegistration } from "#lib/members/webauthn.ts";
import { addPasskey, pickPasskeyName } from "#lib/members/passkeys.ts";
import { ensurePrimary } from "#lib/replication/ensure-primary.ts";
import { describeDevice } from "#lib/members/session/describe-device.ts";
import { assertSameOrigin } from "#lib/http/csrf.ts";
import { readSessionCookies, requireMember } from "#lib/members/session/session.ts";

const Body = z.object({
  answer: RegistrationResponse,
  name: singleLineField({ label: "The name", maxLength: 60 }).optional(),
});
const REQUIRED_RIGHTS = { who: "member", recent: true } as const;

export function POST(request: Request): Promise<Response> {
  return withErrorResponse(request, async () => {
    assertSameOrigin(request);
    await ensurePrimary();
    consumePasskeyRequest(request, (await requireMember()).id);
    const { answer: given, name: chosen } = await readJson(request, Body);
    const identity = await readSessionCookies();
    const browser = await readCeremonyCookie();
    // Gone before it is looked at: whatever comes of it, this challenge is not answered twice.
    const { challenge, userId } = await writeAuthorized(
      identity,
      REQUIRED_RIGHTS,
      (sql, { id }) => ({
        challenge: consumeCeremonyChallenge(sql, { browser, userId: id }),
        userId: id,
      }),
    );
    await clearCeremonyCookie();
    const passkey = await verifyRegistration(given, { challenge, userId });
    const name = await writeAuthorized(identity, REQUIRED_RIGHTS, (sql, { id }) => {
      const free =
        chosen ??
        pickPasskeyName(sql, { userId: id, name: describeDevice(request).device.slice(0, 60) });
      addPasskey(sql, { ...passkey, userId: id, name: free });
      return free;
    });
    return Response.json({ name }, { headers: { "cache-control": "no-store" } });
  });
}
