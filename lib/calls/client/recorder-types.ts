// Defines the states and events of the recorder; recorder-state.ts has the transitions.

import type { Microphone, MicrophoneProblem } from "./microphone.ts";
import type { UploadProgress } from "./uploader.ts";

/** Audio that can be played, sent and discarded. */
export interface RecordedAudio {
  readonly audio: Blob;
  readonly durationMs: number;
  /** The peak of each tenth of a second, 0–100. */
  readonly levels: readonly number[];
  /** The name of a selected file; null for a recording. */
  readonly fileName: string | null;
  /** When it was recorded (Unix time in ms), if restored from an earlier visit; otherwise null. */
  readonly restoredFromMs: number | null;
  /** True if the tab was closed during the recording. */
  readonly wasInterrupted: boolean;
}

export type RecorderProblem =
  | { readonly code: MicrophoneProblem | "no-audio" | "microphone-lost" }
  | { readonly code: "file-rejected"; readonly text: string };

/** The upload of the audio, which precedes the submission of the form. */
export type UploadState =
  | { readonly step: "none" }
  /** The form was submitted before the audio was ready. */
  | { readonly step: "pending"; readonly message: string }
  | { readonly step: "running"; readonly progress: UploadProgress }
  | { readonly step: "failed"; readonly message: string }
  | { readonly step: "done"; readonly uploadId: string };

export interface LiveRecording {
  readonly requestId: number;
  readonly maxMs: number;
  readonly elapsedMs: number;
  readonly isQuiet: boolean;
}

/** Fields that exist in one phase only, so that no phase can show the audio of another draft. */
export type PhaseState =
  | { readonly phase: "opening" | "locked" | "idle" | "reading" }
  | { readonly phase: "requesting-permission" | "testing-microphone"; readonly requestId: number }
  | ({ readonly phase: "recording" | "paused" | "stopping" } & LiveRecording)
  | { readonly phase: "recorded"; readonly recorded: RecordedAudio };

export interface SharedState {
  readonly formId: string;
  /** False if the browser doesn't store drafts. */
  readonly isPersistent: boolean;
  readonly problem: RecorderProblem | null;
  /** The text of the live region. */
  readonly announcement: string;
  readonly microphones: readonly Microphone[];
  /** "" for the browser's default. */
  readonly microphoneId: string;
  readonly upload: UploadState;
  /** The upload that the server may have; null if none was started. */
  readonly startedUploadId: string | null;
}

export type RecorderState = SharedState & PhaseState;
export type RecorderPhase = RecorderState["phase"];
export type LiveRecorderState = SharedState & Extract<PhaseState, LiveRecording>;

export interface EventPayloads {
  /** Another draft is being opened: a first visit, or a switch of accounts. */
  "draft-opening": object;
  "draft-locked": object;
  "draft-opened": { formId: string; recorded: RecordedAudio | null };
  "storage-failed": object;
  /** The form was stored; `formId` is the id of the next one. */
  cleared: { formId: string };
  unsupported: { code: MicrophoneProblem };
  "microphones-listed": { microphones: readonly Microphone[]; preferredId: string };
  "microphone-selected": { id: string };
  "permission-requested": { requestId: number };
  "microphone-failed": { requestId: number; code: MicrophoneProblem };
  "test-started": { requestId: number };
  canceled: object;
  "recording-started": { requestId: number; maxMs: number };
  "time-elapsed": { requestId: number; elapsedMs: number; isQuiet: boolean };
  paused: object;
  resumed: object;
  stopping: object;
  /** `recorded` is null if the microphone delivered nothing. */
  "recording-ended": {
    requestId: number;
    reason: "stopped" | "time" | "microphone";
    recorded: RecordedAudio | null;
  };
  "file-selected": object;
  "file-read": { recorded: RecordedAudio };
  "file-rejected": { text: string };
  discarded: object;
  submitted: object;
  "upload-started": { uploadId: string };
  "upload-progressed": { progress: UploadProgress };
  "upload-completed": { uploadId: string };
  "upload-failed": { message: string };
  "upload-canceled": object;
  "upload-error-dismissed": object;
}

export type EventOf<T extends keyof EventPayloads> = { readonly type: T } & Readonly<
  EventPayloads[T]
>;
export type RecorderEvent = { [T in keyof EventPayloads]: EventOf<T> }[keyof EventPayloads];
