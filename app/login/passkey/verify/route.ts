// POST /login/passkey/verify: logs in with the browser's WebAuthn response. 200 {next} with a session.

import { z } from "zod";
import { AppError } from "#lib/core/errors.ts";
import { read, write } from "#lib/db/database.ts";
import { findClientAddress } from "#lib/http/client-address.ts";
import { assertSameOrigin } from "#lib/http/csrf.ts";
import { withErrorResponse } from "#lib/http/error-response.ts";
import { readJson } from "#lib/http/read-json.ts";
import { sanitizeRedirectPath } from "#lib/http/sanitize-redirect-path.ts";
import { ceremonyCookie } from "#lib/members/cookies.ts";
import { consumePasskeyRequest } from "#lib/members/limiters.ts";
import { logInAndClaimReads, setSessionCookie } from "#lib/members/log-in.ts";
import { findPasskey, recordPasskeyUse } from "#lib/members/passkeys.ts";
import { readSessionCookies } from "#lib/members/viewer.ts";
import { consumeCeremonyChallenge } from "#lib/members/webauthn-challenge.ts";
import { AuthenticationResponse, verifyAuthentication } from "#lib/members/webauthn.ts";
import { ensurePrimary } from "#lib/replication/ensure-primary.ts";

const Body = z.object({ response: AuthenticationResponse, next: z.string().max(1_000).optional() });

export function POST(request: Request): Promise<Response> {
  return withErrorResponse(request, async () => {
    assertSameOrigin(request);
    await ensurePrimary();
    consumePasskeyRequest(findClientAddress(request));
    const { response, next } = await readJson(request, Body);
    const cookie = await ceremonyCookie.read();
    // Consumed before the response is verified, so that each challenge works only once.
    const challenge = await write((tx) => consumeCeremonyChallenge(tx, { cookie, userId: null }));
    await ceremonyCookie.expire();
    const passkey = await read((tx) => findPasskey(tx, response.id));
    if (!passkey)
      throw new AppError(
        "unauthorized",
        "We don’t recognize this passkey. It may have been removed. Log in by email instead.",
      );
    const counter = await verifyAuthentication(response, { challenge, passkey });
    const sessionIds = await readSessionCookies();
    const session = await write(
      async (tx) => {
        await recordPasskeyUse(tx, passkey, counter);
        return logInAndClaimReads(tx, { userId: passkey.userId, sessionIds, request });
      },
      { isDurable: true },
    );
    await setSessionCookie(session);
    return Response.json(
      { next: sanitizeRedirectPath(next) },
      { headers: { "cache-control": "no-store" } },
    );
  });
}
