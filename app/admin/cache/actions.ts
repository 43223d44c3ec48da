"use server";
// Defines the server action that deletes a cache entry on any instance.

import { setNotice } from "#lib/http/notice-cookie.ts";
import { redirect } from "next/navigation";
import { z } from "zod";
import { buildHref } from "#lib/http/search-params.ts";
import { getInstance } from "./instances.ts";
import { defineServerAction } from "#lib/members/server-action.ts";
import { AppError } from "#lib/core/errors.ts";
import {
  deleteEntryPayload,
  deleteInspectedEntry,
  inspectEntry,
  redactSecrets,
} from "#lib/cache/inspect-cache.ts";
import { recordAuditEvent } from "#lib/db/audit.ts";
import type { Peer } from "#lib/replication/peers.ts";
import { PeerError, requestPeer } from "#lib/replication/request-peer.ts";

const DELETE_TIMEOUT_MS = 3_000;

/**
 * Deletes an entry on another instance. Throws AppError: unavailable if it doesn't respond,
 * not_found without the entry.
 */
async function deleteRemoteEntry(peer: Peer, key: string): Promise<void> {
  try {
    const { deleted } = (await requestPeer(peer, {
      method: "POST",
      path: "/internal/cache",
      signatureSubject: deleteEntryPayload(peer.instance, key),
      body: { key },
      timeoutMs: DELETE_TIMEOUT_MS,
    })) as { deleted?: boolean };
    if (!deleted) throw new AppError("not_found", "Already deleted.", { field: "key" });
  } catch (error) {
    if (!(error instanceof PeerError)) throw error;
    throw new AppError(
      "unavailable",
      `${peer.instance} didn’t respond, so it may still have this entry. Your attempt was logged.`,
      { retryAfterSeconds: 5, cause: error },
    );
  }
}

const boundedText = (max: number, error: string) => z.string({ error }).max(max, { error });

export const deleteCacheEntry = defineServerAction({
  requiredRole: "admin",
  fields: z.object({
    key: boundedText(10_000, "This entry doesn’t exist.").min(1, {
      error: "This entry doesn’t exist.",
    }),
    q: boundedText(200, "The search is too long.").default(""),
    instance: boundedText(200, "This instance doesn’t exist."),
  }),
  async run({ input, write }) {
    const { name, peer } = await getInstance(input.instance);
    if (!peer && !inspectEntry(input.key))
      throw new AppError("not_found", "Already deleted.", { field: "key" });
    await write((tx, admin) =>
      recordAuditEvent(tx, {
        actorId: admin.id,
        action: "cache.delete",
        subjectId: redactSecrets(input.key).slice(0, 300),
        detail: { instance: name },
      }),
    );
    if (peer) await deleteRemoteEntry(peer, input.key);
    else deleteInspectedEntry(input.key);
    await setNotice("cache-entry-deleted");
    redirect(buildHref("/admin/cache", { instance: peer?.instance, q: input.q }));
  },
});
