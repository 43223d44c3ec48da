// Inserts a member with a session, for tests of actions and route handlers.

import { write } from "#lib/db/database.ts";
import { sealSessionCookie } from "#lib/members/cookies.ts";
import { createSession } from "#lib/members/sessions.ts";
import { insertUser } from "./factories.ts";

/** Returns the member's ID and the `Cookie` header of their browser. */
export async function logInMember(
  fields: Parameters<typeof insertUser>[1] = {},
): Promise<{ id: string; cookie: string }> {
  const { id, session } = await write(async (tx) => {
    const { id } = insertUser(tx, fields);
    return { id, session: await createSession(tx, id) };
  });
  const { name, value } = await sealSessionCookie(session);
  return { id, cookie: `${name}=${value}` };
}
