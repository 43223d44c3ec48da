// What every page below /admin begins with: who may see it.

import type { Metadata } from "next";
import { redirect } from "next/navigation";
import { connection } from "next/server";
import type { ReactNode } from "react";
import { setNotFoundStatus, NotFoundPage } from "../not-found-page.tsx";
import { isAppError } from "#lib/core/errors.ts";
import type { Admin } from "#lib/members/member.ts";
import { currentRequestContext } from "#lib/core/request-context.ts";
import type { Sql } from "#lib/db/connection.ts";
import { readSql } from "#lib/db/database.ts";
import { currentInstance } from "#lib/core/instance.ts";
import { resolveViewer, readSessionCookies } from "#lib/members/viewer.ts";

const isAdmin = (member: { role: string } | null): member is Admin => member?.role === "ADMIN";

/**
 * The admin of this request. Somebody who is not logged in is sent to log in and then to `path`; a member gets `refused` to
 * show: the page of an address that leads nowhere, with its status. The functions and actions below ask again: this only decides what is shown.
 */
export async function requireAdminPage(
  path: string,
): Promise<{ admin: Admin; refused: null } | { admin: null; refused: ReactNode }> {
  await connection();
  const identity = await readSessionCookies();
  const { member } = await readSql((sql) => resolveViewer(sql, identity));
  if (!member) redirect(`/login?next=${encodeURIComponent(path)}`);
  if (isAdmin(member)) {
    currentRequestContext()?.serverTimings.push(`instance;desc="${currentInstance()}"`);
    return { admin: member, refused: null };
  }
  setNotFoundStatus();
  return { admin: null, refused: <NotFoundPage identity={identity} /> };
}

/**
 * The metadata of an admin's page, which tells nobody else what it is called; for generateMetadata. A function reads the title for
 * an admin, and may throw AppError(not_found).
 */
export async function adminMetadata(
  title: string | ((sql: Sql, admin: Admin) => string),
): Promise<Metadata> {
  await connection();
  const identity = await readSessionCookies();
  const shown = await readSql((sql) => {
    const { member } = resolveViewer(sql, identity);
    if (!isAdmin(member)) return null;
    try {
      return typeof title === "string" ? title : title(sql, member);
    } catch (error) {
      if (isAppError(error, "not_found")) return null;
      throw error;
    }
  });
  return { title: shown === null ? "Not found" : `${shown} · Admin`, robots: { index: false } };
}
