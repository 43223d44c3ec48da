// POST /login/passkey/verify: the browser's answer. 200 {next} with a session; else the reason, and nobody is logged in.

import { z } from "zod";
import { beginSession, setSessionCookie } from "../../begin-session.ts";
import { clearCeremonyCookie, readCeremonyCookie } from "../ceremony-cookie.ts";
import { takePasskeyRequest } from "../limits.ts";
import { readJson } from "../read-json.ts";
import { answer } from "#lib/action/answer.ts";
import { AppError } from "#lib/base/errors.ts";
import { snapshotSql, writeSql } from "#lib/db/database.ts";
import { takeCeremony } from "#lib/members/passkeys-ceremony.ts";
import { LoginAnswer, verifyLogin } from "#lib/members/passkeys-webauthn.ts";
import { findPasskey, notePasskeyUse } from "#lib/members/passkeys.ts";
import { ensurePrimary } from "#lib/primary/ensure-primary.ts";
import { redirectTarget } from "#lib/session/redirect-target.ts";
import { assertSameOrigin } from "#lib/session/same-origin.ts";
import { readIdentity } from "#lib/session/session.ts";

const Body = z.object({ answer: LoginAnswer, next: z.string().max(1_000).optional() });

export function POST(request: Request): Promise<Response> {
  return answer(request, async () => {
    assertSameOrigin(request);
    await ensurePrimary();
    takePasskeyRequest(request);
    const { answer: given, next } = await readJson(request, Body);
    const browser = await readCeremonyCookie();
    // Gone before it is looked at: whatever comes of it, this challenge is not answered twice.
    const challenge = await writeSql((sql) => takeCeremony(sql, { browser, userId: null }));
    await clearCeremonyCookie();
    const passkey = await snapshotSql((sql) => findPasskey(sql, given.id));
    if (!passkey)
      throw new AppError(
        "unauthorized",
        "This passkey is not known here; it may have been removed. Log in by mail instead.",
      );
    const counter = await verifyLogin(given, { challenge, passkey });
    const identity = await readIdentity();
    const begun = await writeSql(
      (sql) => {
        notePasskeyUse(sql, passkey, counter);
        return beginSession(sql, { userId: passkey.userId, identity, request });
      },
      { durable: true },
    );
    await setSessionCookie(begun);
    return Response.json(
      { next: redirectTarget(next) },
      { headers: { "cache-control": "no-store" } },
    );
  });
}
