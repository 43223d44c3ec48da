"use client";
// Removes the local draft of a call on the page that its form redirects to. Renders nothing.

import { useEffect } from "react";
import { clearSentBackups } from "#lib/calls/client/draft-backup.ts";
import { openDraftStore } from "#lib/calls/client/draft-store.ts";

/** `callId` is the form's field "id". Render this only for a stored call. */
export function ClearSentDraft({ callId }: { callId: string }) {
  useEffect(() => {
    clearSentBackups(callId);
    void openDraftStore().then(async (store) => {
      await store.removeSent(callId).catch(() => {}); // then the draft is offered again, and resending it is idempotent
      store.close();
    });
  }, [callId]);
  return null;
}
