// POST /me/passkeys/options: begins to add a passkey. 200 with what the browser needs to make one.

import { setCeremonyCookie } from "../../../login/passkey/ceremony-cookie.ts";
import { takePasskeyRequest } from "../../../login/passkey/limits.ts";
import { answer } from "#lib/action/answer.ts";
import { writeAs } from "#lib/action/write-as.ts";
import { ensurePrimary } from "#lib/primary/ensure-primary.ts";
import { beginCeremony } from "#lib/members/passkeys-ceremony.ts";
import { newPasskeyOptions } from "#lib/members/passkeys-webauthn.ts";
import { knownPasskeys } from "#lib/members/passkeys.ts";
import { getProfile } from "#lib/members/profile.ts";
import { assertSameOrigin } from "#lib/session/same-origin.ts";
import { readIdentity, requireMember } from "#lib/session/session.ts";

export function POST(request: Request): Promise<Response> {
  return answer(request, async () => {
    assertSameOrigin(request);
    await ensurePrimary();
    takePasskeyRequest(request, (await requireMember()).id);
    const begun = await writeAs(
      await readIdentity(),
      { who: "member", recent: true },
      (sql, { id, firstName }) => ({
        known: knownPasskeys(sql, id),
        member: { id, firstName, email: getProfile(sql, id).email },
        ...beginCeremony(sql, id),
      }),
    );
    await setCeremonyCookie(begun.browser);
    return Response.json(await newPasskeyOptions(begun), {
      headers: { "cache-control": "no-store" },
    });
  });
}
