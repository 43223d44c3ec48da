// Defines the recorder's messages about problems and missing input.

import type { RecorderPhase, RecorderProblem } from "./recorder-types.ts";

export const PROBLEM_MESSAGES: Record<
  Exclude<RecorderProblem["code"], "file-rejected">,
  { readonly title: string; readonly text: string }
> = {
  insecure: {
    title: "Recording needs a secure connection.",
    text: "Open this page with https to record or to choose a file.",
  },
  "no-recorder": {
    title: "Your browser can’t record.",
    text: "Upload a file instead.",
  },
  denied: {
    title: "Microphone access is blocked.",
    text: "Click the icon left of the address bar and allow it. On a phone, also check the system settings.",
  },
  "not-found": {
    title: "No microphone found.",
    text: "Connect one or switch it on and try again, or upload a file.",
  },
  "in-use": {
    title: "The microphone is in use.",
    text: "Close other apps that may be using it and try again.",
  },
  other: {
    title: "We couldn’t start the microphone.",
    text: "Try again. If this keeps happening, upload a file.",
  },
  "no-audio": {
    title: "Nothing was recorded.",
    text: "The microphone delivered no sound. Try again, or choose another microphone.",
  },
  "microphone-lost": {
    title: "The microphone was disconnected.",
    text: "We saved everything up to that point.",
  },
};

/** Phases that end by themselves. A submission waits for them. */
export const PENDING_MESSAGES: Partial<Record<RecorderPhase, string>> = {
  opening: "Looking for your unsent recording. We’ll send it once it’s loaded.",
  stopping: "Finishing the recording. We’ll send it once it’s done.",
  reading: "Reading the file. We’ll send it once it’s ready.",
};

/** Phases in which the member has to act before the form can be submitted. */
export const NOT_READY_MESSAGES: Partial<Record<RecorderPhase, string>> = {
  locked: "This recording is open in another tab. Send it from there, or close that tab.",
  "requesting-permission": "Allow or block the microphone first.",
  "testing-microphone": "Nothing has been recorded yet. Start recording, or choose a file.",
  recording: "You’re still recording. Stop first, then send.",
  paused: "The recording is paused. Stop first, then send.",
};

export const NO_RECORDING_MESSAGE =
  "There is no recording yet. Record one, choose a file, or select “Type” above.";
