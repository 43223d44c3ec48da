// POST /login/passkey/verify: the browser's answer. 200 {next} with a session; else the reason, and nobody is logged in.

import { z } from "zod";
import {
  logInAndClaimReads,
  setSessionCookie,
} from "#lib/members/session/log-in-and-claim-reads.ts";
import { clearCeremonyCookie, readCeremonyCookie } from "#lib/members/cookies/ceremony-cookie.ts";
import { consumePasskeyRequest } from "#lib/members/passkey-limiter.ts";
import { readJson } from "#lib/http/read-json.ts";
import { withErrorResponse } from "#lib/http/error-response.ts";
import { AppError } from "#lib/core/errors.ts";
import { readSql, writeSql } from "#lib/db/database.ts";
import { consumeCeremonyChallenge } from "#lib/members/webauthn-challenge.ts";
import { AuthenticationResponse, verifyAuthentication } from "#lib/members/webauthn.ts";
import { findPasskey, recordPasskeyUse } from "#lib/members/passkeys.ts";
import { ensurePrimary } from "#lib/replication/ensure-primary.ts";
import { sanitizeRedirectPath } from "#lib/http/sanitize-redirect-path.ts";
import { assertSameOrigin } from "#lib/http/csrf.ts";
import { readSessionCookies } from "#lib/members/session/session.ts";

const Body = z.object({ answer: AuthenticationResponse, next: z.string().max(1_000).optional() });

export function POST(request: Request): Promise<Response> {
  return withErrorResponse(request, async () => {
    assertSameOrigin(request);
    await ensurePrimary();
    consumePasskeyRequest(request);
    const { answer: given, next } = await readJson(request, Body);
    const browser = await readCeremonyCookie();
    // Gone before it is looked at: whatever comes of it, this challenge is not answered twice.
    const challenge = await writeSql((sql) =>
      consumeCeremonyChallenge(sql, { browser, userId: null }),
    );
    await clearCeremonyCookie();
    const passkey = await readSql((sql) => findPasskey(sql, given.id));
    if (!passkey)
      throw new AppError(
        "unauthorized",
        "This passkey is not known here; it may have been removed. Log in by mail instead.",
      );
    const counter = await verifyAuthentication(given, { challenge, passkey });
    const identity = await readSessionCookies();
    const begun = await writeSql(
      (sql) => {
        recordPasskeyUse(sql, passkey, counter);
        return logInAndClaimReads(sql, { userId: passkey.userId, identity, request });
      },
      { isDurable: true },
    );
    await setSessionCookie(begun);
    return Response.json(
      { next: sanitizeRedirectPath(next) },
      { headers: { "cache-control": "no-store" } },
    );
  });
}
