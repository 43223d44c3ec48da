"use server";
// Deletes what can be made again.

import { redirect } from "next/navigation";
import { z } from "zod";
import { hrefOf } from "../query.ts";
import { cacheCall } from "../../_site/cache-call.ts";
import { chooseInstance } from "./instances.ts";
import { formAction } from "#lib/action/form-action.ts";
import { AppError } from "#lib/base/errors.ts";
import { dropEntry, inspectEntry, withoutSecrets } from "#lib/cache/inspect.ts";
import { recordAudit } from "#lib/db/audit.ts";
import type { Peer } from "#lib/litefs/peers.ts";
import { PeerError, askPeer } from "#lib/primary/ask-peer.ts";

const DELETE_MS = 3_000;

/** Throws AppError: unavailable when the instance does not answer, not_found when it has no such entry. */
async function dropElsewhere(peer: Peer, key: string): Promise<void> {
  try {
    const { deleted } = (await askPeer(peer, {
      method: "POST",
      path: "/internal/cache",
      about: cacheCall(peer.instance, key),
      body: { key },
      timeoutMs: DELETE_MS,
    })) as { deleted?: boolean };
    if (!deleted) throw new AppError("not_found", "This entry is gone already.", { field: "key" });
  } catch (error) {
    if (!(error instanceof PeerError)) throw error;
    throw new AppError(
      "unavailable",
      `${peer.instance} does not answer, so it may still have this entry. The log says that you wanted it deleted.`,
      { retryAfterSeconds: 5, cause: error },
    );
  }
}

const text = (max: number, error: string) => z.string({ error }).max(max, { error });

export const deleteOne = formAction({
  who: "admin",
  fields: z.object({
    key: text(10_000, "There is no such entry.").min(1, { error: "There is no such entry." }),
    q: text(200, "This search is too long.").default(""),
    instance: text(200, "There is no such instance."),
  }),
  async run({ input, member, write }) {
    const { name, peer } = await chooseInstance(input.instance);
    if (!peer && !inspectEntry(member, input.key))
      throw new AppError("not_found", "This entry is gone already.", { field: "key" });
    await write((sql, admin) =>
      recordAudit(sql, {
        actorId: admin.id,
        action: "cache.delete",
        subjectId: withoutSecrets(input.key).slice(0, 300),
        detail: { instance: name },
      }),
    );
    if (peer) await dropElsewhere(peer, input.key);
    else dropEntry(member, input.key);
    redirect(hrefOf("/admin/cache", { instance: peer?.instance, q: input.q, said: "deleted" }));
  },
});
