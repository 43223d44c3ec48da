// What every page below /admin begins with: who may see it.

import type { Metadata } from "next";
import { redirect } from "next/navigation";
import { connection } from "next/server";
import type { ReactNode } from "react";
import { answerNotFound, NotFoundPage } from "../not-found-page.tsx";
import type { Admin } from "#lib/base/member.ts";
import { snapshotSql } from "#lib/db/database.ts";
import { findReader, readIdentity } from "#lib/session/session.ts";

const isAdmin = (member: { role: string } | null): member is Admin => member?.role === "ADMIN";

/**
 * The admin of this request. Somebody who is not logged in is sent to log in and then to `path`; a member gets `refused` to
 * show: the page of an address that leads nowhere, with its status. The functions and actions below ask again: this only decides what is shown.
 */
export async function requireAdminPage(path: string): Promise<{ admin: Admin; refused: null } | { admin: null; refused: ReactNode }> {
  await connection();
  const identity = await readIdentity();
  const { member } = await snapshotSql((sql) => findReader(sql, identity));
  if (!member) redirect(`/login?next=${encodeURIComponent(path)}`);
  if (isAdmin(member)) return { admin: member, refused: null };
  answerNotFound();
  return { admin: null, refused: <NotFoundPage identity={identity} /> };
}

/** The metadata of an admin's page, which tells nobody else what it is called. For generateMetadata. */
export async function adminTitle(title: string): Promise<Metadata> {
  await connection();
  const identity = await readIdentity();
  const { member } = await snapshotSql((sql) => findReader(sql, identity));
  return { title: isAdmin(member) ? `${title} · Admin` : "Not found", robots: { index: false } };
}
