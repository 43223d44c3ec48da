// Authorizes the pages below /admin.

import { sanitizeRedirectPath } from "#lib/http/sanitize-redirect-path.ts";
import type { Metadata } from "next";
import { redirect } from "next/navigation";
import { connection } from "next/server";
import type { ReactNode } from "react";
import { renderNotFound } from "../not-found-page.tsx";
import { nullIfNotFound } from "#lib/core/errors.ts";
import type { Admin } from "#lib/members/member.ts";
import { currentRequestContext } from "#lib/core/request-context.ts";
import { type Tx, read } from "#lib/db/database.ts";
import { currentInstance } from "#lib/core/instance.ts";
import { resolveViewer, readSessionCookies } from "#lib/members/viewer.ts";

const isAdmin = (member: { role: string } | null): member is Admin => member?.role === "ADMIN";

/**
 * Returns the admin of this request, or the 404 page for a member. Redirects guests to the login
 * page, with `path` as the page to return to. Decides only what is shown: functions and actions
 * check authorization again.
 */
export async function requireAdminPage(
  path: string,
): Promise<{ admin: Admin; notFoundPage: null } | { admin: null; notFoundPage: ReactNode }> {
  await connection();
  const sessionIds = await readSessionCookies();
  const { member } = await read((tx) => resolveViewer(tx, sessionIds));
  // Bounds the Location header: clients refuse a longer one.
  if (!member) redirect(`/login?next=${encodeURIComponent(sanitizeRedirectPath(path, "/admin"))}`);
  if (isAdmin(member)) {
    currentRequestContext()?.serverTimings.push(`instance;desc="${currentInstance()}"`);
    return { admin: member, notFoundPage: null };
  }
  return { admin: null, notFoundPage: await renderNotFound(sessionIds) };
}

/**
 * Returns the metadata of an admin page, for generateMetadata. Only admins get its title. `title`
 * may be a function that reads
 * it and throws AppError(not_found).
 */
export async function adminMetadata(
  title: string | ((tx: Tx, admin: Admin) => Promise<string>),
): Promise<Metadata> {
  await connection();
  const sessionIds = await readSessionCookies();
  const pageTitle = await read(async (tx) => {
    const { member } = await resolveViewer(tx, sessionIds);
    if (!isAdmin(member)) return null;
    return typeof title === "string" ? title : nullIfNotFound(title(tx, member));
  });
  return {
    title: pageTitle === null ? "Not found" : `${pageTitle} · Admin`,
    robots: { index: false },
  };
}
