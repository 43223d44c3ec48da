"use client";
// Shows nothing. Stands where a sent form leads to: what the browser kept of it goes now, and not before.

import { useEffect } from "react";
import { openDraftStore } from "#lib/calls/client/draft-store.ts";

/** `callId` is the id that the form sent (its field "id"). Only render it for a call that is stored. */
export function ClearSentDraft({ callId }: { callId: string }) {
  useEffect(() => {
    void openDraftStore().then(async (store) => {
      await store.removeSent(callId).catch(() => {}); // it is offered again then, and sending it again changes nothing
      store.close();
    });
  }, [callId]);
  return null;
}
