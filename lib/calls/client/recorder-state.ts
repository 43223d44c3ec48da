// Defines the recorder's finite state machine: `reduceRecorder` maps a state and an event to the
// next state, without side effects.

import { NOT_READY_MESSAGES, NO_RECORDING_MESSAGE, PENDING_MESSAGES } from "./recorder-messages.ts";
import type {
  EventOf,
  EventPayloads,
  LiveRecorderState,
  LiveRecording,
  PhaseState,
  RecorderEvent,
  RecorderState,
  SharedState,
} from "./recorder-types.ts";
import { formatDuration } from "#lib/core/format.ts";

/** Remaining times that are announced to screen readers. */
const ANNOUNCE_REMAINING_MS = [30_000, 10_000];

/** Returns whether a recording is in progress: recording, paused or stopping. */
export function isLiveState(state: RecorderState): state is LiveRecorderState {
  return state.phase === "recording" || state.phase === "paused" || state.phase === "stopping";
}

export function createRecorderState(formId: string): RecorderState {
  return {
    phase: "opening",
    formId,
    isPersistent: true,
    problem: null,
    announcement: "",
    microphones: [],
    microphoneId: "",
    upload: { step: "none" },
    startedUploadId: null,
  };
}

/** Enters a phase and drops the fields of the previous one. */
function enter(
  state: RecorderState,
  next: PhaseState,
  changes: Partial<SharedState> = {},
): RecorderState {
  const { formId, isPersistent, problem, announcement, microphones, microphoneId } = state;
  return {
    formId,
    isPersistent,
    problem,
    announcement,
    microphones,
    microphoneId,
    upload: state.upload,
    startedUploadId: state.startedUploadId,
    ...changes,
    ...next,
  };
}

const NO_UPLOAD = { upload: { step: "none" }, startedUploadId: null } as const;

function describeEnd(reason: string, durationMs: number, maxMs: number): string {
  return reason === "time"
    ? `Time’s up after ${formatDuration(maxMs, "spoken-position")}. The recording is saved.`
    : `Recorded ${formatDuration(durationMs, "spoken-length")}.`;
}

/** Returns the announcement for the time that remains, if `elapsedMs` crosses a threshold. */
function announceRemaining(state: LiveRecording, elapsedMs: number): string | undefined {
  const crossed = ANNOUNCE_REMAINING_MS.findLast(
    (ms) => ms < state.maxMs && state.maxMs - state.elapsedMs > ms && state.maxMs - elapsedMs <= ms,
  );
  return crossed === undefined ? undefined : `${formatDuration(crossed, "spoken-position")} left.`;
}

/**
 * An event that doesn't fit the phase, or comes from an earlier request, leaves the state
 * unchanged.
 */
const transitions: {
  [T in keyof EventPayloads]: (state: RecorderState, event: EventOf<T>) => RecorderState;
} = {
  "draft-opening": (state) =>
    enter(
      state,
      { phase: "opening" },
      { ...NO_UPLOAD, isPersistent: true, problem: null, announcement: "" },
    ),
  "draft-locked": (state) =>
    state.phase === "opening" ? enter(state, { phase: "locked" }) : state,
  "draft-opened": (state, { formId, recorded }) =>
    state.phase === "opening" || state.phase === "locked"
      ? enter(state, recorded ? { phase: "recorded", recorded } : { phase: "idle" }, { formId })
      : state,
  "storage-failed": (state) => ({ ...state, isPersistent: false }),
  cleared: (state, { formId }) =>
    state.phase === "opening" || state.phase === "locked"
      ? state
      : enter(state, { phase: "idle" }, { ...NO_UPLOAD, formId }),

  unsupported: (state, { code }) =>
    code === "insecure" && state.phase === "opening"
      ? enter(state, { phase: "idle" }, { problem: { code } })
      : { ...state, problem: { code } },
  "microphones-listed": (state, { microphones, preferredId }) => {
    const has = (wanted: string) => microphones.some(({ id }) => id === wanted);
    const microphoneId = [state.microphoneId, preferredId].find(has) ?? "";
    return { ...state, microphones, microphoneId };
  },
  "microphone-selected": (state, { id }) => ({ ...state, microphoneId: id }),
  "permission-requested": (state, { requestId }) =>
    // The test continues with another microphone, so that the field keeps the focus.
    state.phase === "testing-microphone"
      ? { ...state, requestId, problem: null }
      : state.phase === "idle" || state.phase === "requesting-permission"
        ? enter(state, { phase: "requesting-permission", requestId }, { problem: null })
        : state,
  "microphone-failed": (state, { requestId, code }) =>
    (state.phase === "requesting-permission" || state.phase === "testing-microphone") &&
    state.requestId === requestId
      ? enter(state, { phase: "idle" }, { problem: { code } })
      : state,
  "test-started": (state, { requestId }) =>
    state.phase === "requesting-permission" && state.requestId === requestId
      ? enter(
          state,
          { phase: "testing-microphone", requestId },
          { announcement: "The microphone is on. Nothing is being recorded." },
        )
      : state,
  canceled: (state) =>
    state.phase === "requesting-permission" || state.phase === "testing-microphone"
      ? enter(state, { phase: "idle" })
      : state,

  "recording-started": (state, { requestId, maxMs }) =>
    (state.phase === "requesting-permission" || state.phase === "testing-microphone") &&
    state.requestId === requestId
      ? enter(
          state,
          { phase: "recording", requestId, maxMs, elapsedMs: 0, isQuiet: false },
          { announcement: `Recording. You have ${formatDuration(maxMs, "spoken-position")}.` },
        )
      : state,
  "time-elapsed": (state, { requestId, elapsedMs, isQuiet }) =>
    (state.phase === "recording" || state.phase === "paused") && state.requestId === requestId
      ? {
          ...state,
          elapsedMs,
          isQuiet,
          announcement: announceRemaining(state, elapsedMs) ?? state.announcement,
        }
      : state,
  paused: (state) =>
    state.phase === "recording"
      ? {
          ...state,
          phase: "paused",
          announcement: `Paused at ${formatDuration(state.elapsedMs, "spoken-position")}.`,
        }
      : state,
  resumed: (state) =>
    state.phase === "paused"
      ? { ...state, phase: "recording", announcement: "Recording again." }
      : state,
  stopping: (state) =>
    state.phase === "recording" || state.phase === "paused"
      ? { ...state, phase: "stopping", isQuiet: false }
      : state,
  "recording-ended": (state, { requestId, reason, recorded }) => {
    if (!isLiveState(state) || state.requestId !== requestId) return state;
    if (!recorded) return enter(state, { phase: "idle" }, { problem: { code: "no-audio" } });
    return enter(
      state,
      { phase: "recorded", recorded },
      {
        problem: reason === "microphone" ? { code: "microphone-lost" } : state.problem,
        announcement: describeEnd(reason, recorded.durationMs, state.maxMs),
      },
    );
  },

  "file-selected": (state) =>
    state.phase === "idle" ? enter(state, { phase: "reading" }, { problem: null }) : state,
  "file-read": (state, { recorded }) =>
    state.phase === "reading"
      ? enter(
          state,
          { phase: "recorded", recorded },
          {
            announcement: `${recorded.fileName}, ${formatDuration(recorded.durationMs, "spoken-length")}.`,
          },
        )
      : state,
  "file-rejected": (state, { text }) =>
    state.phase === "reading"
      ? enter(state, { phase: "idle" }, { problem: { code: "file-rejected", text } })
      : state,
  discarded: (state) =>
    state.phase === "recorded"
      ? enter(
          state,
          { phase: "idle" },
          { ...NO_UPLOAD, problem: null, announcement: "Recording discarded." },
        )
      : state,

  submitted: (state) => {
    if (state.upload.step === "running") return state;
    if (state.phase === "recorded")
      return { ...state, upload: { step: "running", progress: { kind: "preparing" } } };
    const pendingMessage = PENDING_MESSAGES[state.phase];
    return {
      ...state,
      upload: pendingMessage
        ? { step: "pending", message: pendingMessage }
        : { step: "failed", message: NOT_READY_MESSAGES[state.phase] ?? NO_RECORDING_MESSAGE },
    };
  },
  "upload-started": (state, { uploadId }) =>
    state.upload.step === "running" ? { ...state, startedUploadId: uploadId } : state,
  "upload-progressed": (state, { progress }) =>
    state.upload.step === "running" ? { ...state, upload: { step: "running", progress } } : state,
  "upload-completed": (state, { uploadId }) =>
    state.upload.step === "running" ? { ...state, upload: { step: "done", uploadId } } : state,
  "upload-failed": (state, { message }) =>
    state.upload.step === "running" ? { ...state, upload: { step: "failed", message } } : state,
  "upload-canceled": (state) =>
    state.upload.step === "running" || state.upload.step === "pending"
      ? { ...state, upload: { step: "none" } }
      : state,
  "upload-error-dismissed": (state) =>
    state.upload.step === "failed" ? { ...state, upload: { step: "none" } } : state,
};

/** Returns the state after `event`, without side effects. */
export function reduceRecorder(state: RecorderState, event: RecorderEvent): RecorderState {
  const transition = transitions[event.type] as (
    state: RecorderState,
    event: RecorderEvent,
  ) => RecorderState;
  return transition(state, event);
}
