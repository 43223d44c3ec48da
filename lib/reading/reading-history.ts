// Lists what a member has read, and when.

import { epochDay } from "#lib/core/clock.ts";
import type { Tx } from "#lib/db/database.ts";
import { READS_WINDOW_MONTHS, getWindowStartDay } from "./standings.ts";

const PAGE_SIZE = 50;

export interface HistoryEntry {
  readonly slug: string;
  readonly readAtMs: number;
  /** False if it is older than the window of the standings. */
  readonly counts: boolean;
}

export interface HistoryPage {
  readonly entries: readonly HistoryEntry[];
  readonly total: number;
  /** From 1; the last page if the requested one does not exist. */
  readonly page: number;
  readonly pageCount: number;
}

/** Returns a page of the member's counted reads, the newest first. */
export async function listReadingHistory(
  tx: Tx,
  {
    userId,
    page: wantedPage = 1,
    pageSize = PAGE_SIZE,
    nowMs,
  }: { userId: string; page?: number; pageSize?: number; nowMs: number },
): Promise<HistoryPage> {
  const total = await tx.postRead.count({ where: { userId } });
  const pageCount = Math.max(1, Math.ceil(total / pageSize));
  const page = Math.min(Math.max(1, wantedPage), pageCount);
  const rows = await tx.postRead.findMany({
    where: { userId },
    select: { postSlug: true, createdAt: true },
    orderBy: [{ createdAt: "desc" }, { id: "desc" }],
    skip: (page - 1) * pageSize,
    take: pageSize,
  });
  const firstDay = getWindowStartDay(nowMs, READS_WINDOW_MONTHS);
  const entries = rows.map(({ postSlug, createdAt }) => ({
    slug: postSlug,
    readAtMs: createdAt.getTime(),
    counts: epochDay(createdAt.getTime()) >= firstDay,
  }));
  return { entries, total, page, pageCount };
}
