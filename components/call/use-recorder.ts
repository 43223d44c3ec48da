"use client";
// Connects the recorder's controller to React.

import { useEffect, useState, useSyncExternalStore } from "react";
import type { DraftTexts } from "#lib/calls/client/recording-draft.ts";
import { RecorderController } from "#lib/calls/client/recorder-controller.ts";
import type { RecorderState } from "#lib/calls/client/recorder-types.ts";

/** Creates the controller once; later values of `formId` and `maxMs` are ignored. */
export function useRecorderController(options: {
  formId: string;
  maxMs: number;
}): RecorderController {
  const [controller] = useState(() => new RecorderController(options));
  return controller;
}

/** Keeps the draft `draftKey` open while mounted. `onTextsRestored` must be stable; it gets the stored texts, if any. */
export function useRecorderState(
  controller: RecorderController,
  draftKey: string,
  onTextsRestored: (texts: DraftTexts) => void,
): RecorderState {
  useEffect(
    () => controller.open(draftKey, onTextsRestored),
    [controller, draftKey, onTextsRestored],
  );
  return useSyncExternalStore(controller.subscribe, controller.getState, controller.getState);
}
