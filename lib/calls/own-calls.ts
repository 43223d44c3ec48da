// Lists and deletes a member's own calls.

import { AppError } from "#lib/core/errors.ts";
import type { Member } from "#lib/members/member.ts";
import type { CallState } from "#lib/db/column-values.ts";
import type { Tx } from "#lib/db/database.ts";
import { findRecordedCallIds } from "./recording.sql.ts";

export interface OwnCall {
  readonly id: string;
  readonly createdAt: number;
  readonly title: string;
  readonly description: string;
  readonly state: CallState;
  /** False for a typed question. */
  readonly isRecorded: boolean;
  /** Null for a typed question, or a recording from the source site that was never probed. */
  readonly durationMs: number | null;
  /** Empty unless the call was declined. */
  readonly declineReason: string;
  /** The slug of the episode; null unless published. */
  readonly slug: string | null;
}

/** Maximum number of calls listed, newest first. */
export const MAX_LISTED_CALLS = 200;

/** Returns the member's calls, newest first, without audio and without the admins' notes. */
export async function listOwnCalls(tx: Tx, member: Member): Promise<OwnCall[]> {
  const calls = await tx.call.findMany({
    where: { userId: member.id },
    select: {
      id: true,
      createdAt: true,
      title: true,
      description: true,
      review: { select: { state: true, durationMs: true, declineReason: true } },
      episode: { select: { slug: true } },
    },
    orderBy: [{ createdAt: "desc" }, { id: "asc" }],
    take: MAX_LISTED_CALLS,
  });
  const recorded = findRecordedCallIds(
    tx,
    calls.map(({ id }) => id),
  );
  return calls.map(({ id, createdAt, title, description, review, episode }) => {
    const { state, durationMs, declineReason } = review!;
    return {
      id,
      createdAt: createdAt.getTime(),
      title,
      description,
      state,
      isRecorded: recorded.has(id),
      durationMs,
      declineReason: state === "DECLINED" ? declineReason : "",
      slug: state === "PUBLISHED" ? (episode?.slug ?? null) : null,
    };
  });
}

/**
 * Deletes the member's own call with its recording, answer and episode. Throws AppError(not_found)
 * for any other call.
 */
export async function deleteOwnCall(
  tx: Tx,
  { id, member }: { id: string; member: Member },
): Promise<void> {
  const { count } = await tx.call.deleteMany({ where: { id, userId: member.id } });
  if (count === 0)
    throw new AppError("not_found", "This call doesn’t exist. It may have been deleted already.");
}
