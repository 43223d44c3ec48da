// POST /me/passkeys/verify: the browser's new passkey. 200 {name} when it is stored.

import { z } from "zod";
import { clearCeremonyCookie, readCeremonyCookie } from "../../../login/passkey/ceremony-cookie.ts";
import { takePasskeyRequest } from "../../../login/passkey/limits.ts";
import { readJson } from "../../../login/passkey/read-json.ts";
import { answer } from "#lib/action/answer.ts";
import { writeAs } from "#lib/action/write-as.ts";
import { line } from "#lib/base/fields.ts";
import { takeCeremony } from "#lib/members/passkeys-ceremony.ts";
import { NewPasskeyAnswer, verifyNewPasskey } from "#lib/members/passkeys-webauthn.ts";
import { addPasskey, freePasskeyName } from "#lib/members/passkeys.ts";
import { ensurePrimary } from "#lib/primary/ensure-primary.ts";
import { deviceOf } from "#lib/session/device.ts";
import { assertSameOrigin } from "#lib/session/same-origin.ts";
import { readIdentity, requireMember } from "#lib/session/session.ts";

const Body = z.object({
  answer: NewPasskeyAnswer,
  name: line({ name: "The name", max: 60 }).optional(),
});
const RIGHTS = { who: "member", recent: true } as const;

export function POST(request: Request): Promise<Response> {
  return answer(request, async () => {
    assertSameOrigin(request);
    await ensurePrimary();
    takePasskeyRequest(request, (await requireMember()).id);
    const { answer: given, name: chosen } = await readJson(request, Body);
    const identity = await readIdentity();
    const browser = await readCeremonyCookie();
    // Gone before it is looked at: whatever comes of it, this challenge is not answered twice.
    const { challenge, userId } = await writeAs(identity, RIGHTS, (sql, { id }) => ({
      challenge: takeCeremony(sql, { browser, userId: id }),
      userId: id,
    }));
    await clearCeremonyCookie();
    const passkey = await verifyNewPasskey(given, { challenge, userId });
    const name = await writeAs(identity, RIGHTS, (sql, { id }) => {
      const free =
        chosen ?? freePasskeyName(sql, { userId: id, name: deviceOf(request).device.slice(0, 60) });
      addPasskey(sql, { ...passkey, userId: id, name: free });
      return free;
    });
    return Response.json({ name }, { headers: { "cache-control": "no-store" } });
  });
}
