// Inserts a member with a session, for tests of actions and route handlers.

import { hashSecret } from "#lib/core/secret.ts";
import { read, write } from "#lib/db/database.ts";
import { sealSessionCookie } from "#lib/members/cookies.ts";
import type { Member } from "#lib/members/member.ts";
import { createSession } from "#lib/members/sessions.ts";
import { resolveViewer } from "#lib/members/viewer.ts";
import { type UserRow, insertUser } from "./factories.ts";

export interface LoggedInMember extends UserRow {
  /** The `Cookie` header of their browser: one name and value. */
  readonly cookie: string;
  /** As pages see them. */
  readonly member: Member;
}

export async function logInMember(
  fields: Parameters<typeof insertUser>[1] = {},
): Promise<LoggedInMember> {
  const { user, session } = await write(async (tx) => {
    const user = insertUser(tx, fields);
    return { user, session: await createSession(tx, user.id) };
  });
  const { name, value } = await sealSessionCookie(session);
  const { member } = await read((tx) =>
    resolveViewer(tx, { sessionKey: hashSecret(session.id), clientId: null }),
  );
  return { ...user, cookie: `${name}=${value}`, member: member! };
}
