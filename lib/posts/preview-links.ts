// Creates links that show a post which readers can't see yet. An admin can withdraw them
// (docs/decisions/058).

import { DAY_MS, nowMs } from "#lib/core/clock.ts";
import { AppError } from "#lib/core/errors.ts";
import { generateSecret } from "#lib/core/secret.ts";
import { isValidSignature, signText } from "#lib/core/signature.ts";
import { recordAuditEvent } from "#lib/db/audit.ts";
import type { Tx } from "#lib/db/database.ts";
import { type Member, assertAdmin } from "#lib/members/member.ts";

export const PREVIEW_DAYS = [1, 7, 30] as const;
/** Per post. */
const MAX_LINKS = 20;
const LABEL = "lectern preview link v1";
const TOKEN_PATTERN = /^([\w-]{22})\.([\w-]{43})$/;

export interface PreviewLink {
  readonly id: string;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
}

/** Returns the path of a link: its ID, signed, so that a copy of the database opens no post. */
export const previewPath = (id: string): string => `/preview/${id}.${signText(LABEL, id)}`;

const unexpired = () => ({ expiresAt: { gt: new Date(nowMs()) } });

/**
 * Creates a link for `days`, and returns its ID. The caller checks that the post exists. Throws
 * AppError(forbidden), and AppError(conflict) if the post has 20 links.
 */
export async function createPreviewLink(
  tx: Tx,
  admin: Member,
  { slug, days }: { slug: string; days: (typeof PREVIEW_DAYS)[number] },
): Promise<string> {
  assertAdmin(admin);
  await tx.previewLink.deleteMany({ where: { expiresAt: { lte: new Date(nowMs()) } } });
  if ((await tx.previewLink.count({ where: { postSlug: slug } })) >= MAX_LINKS)
    throw new AppError("conflict", `A post has at most ${MAX_LINKS} links. Withdraw one first.`);
  const id = generateSecret(128);
  const createdAt = new Date(nowMs());
  await tx.previewLink.create({
    data: { id, postSlug: slug, createdAt, expiresAt: new Date(nowMs() + days * DAY_MS) },
  });
  await recordAuditEvent(tx, {
    actorId: admin.id,
    action: "preview.create",
    subjectId: slug,
    detail: { days },
  });
  return id;
}

/** Withdraws a link. Throws AppError(forbidden), or AppError(not_found) for an unknown link. */
export async function withdrawPreviewLink(tx: Tx, admin: Member, id: string): Promise<void> {
  assertAdmin(admin);
  const link = await tx.previewLink.findUnique({ where: { id }, select: { postSlug: true } });
  if (!link) throw new AppError("not_found", "This link has already been withdrawn.");
  await tx.previewLink.delete({ where: { id } });
  await recordAuditEvent(tx, {
    actorId: admin.id,
    action: "preview.withdraw",
    subjectId: link.postSlug,
  });
}

/** Returns the post's links that still work, the newest first. Throws AppError(forbidden). */
export async function listPreviewLinks(
  tx: Tx,
  admin: Member,
  slug: string,
): Promise<PreviewLink[]> {
  assertAdmin(admin);
  const links = await tx.previewLink.findMany({
    where: { postSlug: slug, ...unexpired() },
    orderBy: [{ createdAt: "desc" }, { id: "asc" }],
  });
  return links.map(({ id, createdAt, expiresAt }) => ({
    id,
    createdAtMs: createdAt.getTime(),
    expiresAtMs: expiresAt.getTime(),
  }));
}

/** Returns the ID of the link, which may no longer exist; null if the token is forged. */
export function verifyPreviewToken(token: string): string | null {
  const [, id = "", signature = ""] = TOKEN_PATTERN.exec(token) ?? [];
  return isValidSignature(LABEL, id, signature) ? id : null;
}

/** Returns the slug of the post that a link's token opens, and until when, or null. */
export async function findPreview(
  tx: Tx,
  token: string,
): Promise<{ slug: string; expiresAtMs: number } | null> {
  const id = verifyPreviewToken(token);
  if (id === null) return null;
  const link = await tx.previewLink.findFirst({
    where: { id, ...unexpired() },
    select: { postSlug: true, expiresAt: true },
  });
  return link && { slug: link.postSlug, expiresAtMs: link.expiresAt.getTime() };
}
