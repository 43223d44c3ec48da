// POST /login/passkey/verify: the browser's answer. 200 {next} with a session; else the reason, and nobody is logged in.

import { z } from "zod";
import { logInAndClaimReads, setSessionCookie } from "../../begin-session.ts";
import { clearCeremonyCookie, readCeremonyCookie } from "../ceremony-cookie.ts";
import { consumePasskeyRequest } from "../limits.ts";
import { readJson } from "../read-json.ts";
import { withErrorResponse } from "#lib/action/answer.ts";
import { AppError } from "#lib/base/errors.ts";
import { readSql, writeSql } from "#lib/db/database.ts";
import { consumeCeremonyChallenge } from "#lib/members/passkeys-ceremony.ts";
import { AuthenticationResponse, verifyAuthentication } from "#lib/members/passkeys-webauthn.ts";
import { findPasskey, recordPasskeyUse } from "#lib/members/passkeys.ts";
import { ensurePrimary } from "#lib/primary/ensure-primary.ts";
import { sanitizeRedirectPath } from "#lib/session/redirect-target.ts";
import { assertSameOrigin } from "#lib/session/same-origin.ts";
import { readSessionCookies } from "#lib/session/session.ts";

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
