import { expect, test } from "vitest";
import { createRecorderState, reduceRecorder } from "./recorder-state.ts";
import type {
  RecordedAudio,
  RecorderEvent,
  RecorderPhase,
  RecorderState,
} from "./recorder-types.ts";

const MAX_MS = 120_000;

const recording: RecordedAudio = {
  audio: new Blob(["audio"]),
  durationMs: 4_000,
  levels: [],
  fileName: null,
  restoredFromMs: null,
  wasInterrupted: false,
};

const OPENED = { type: "draft-opened", formId: "form-1", recorded: null } as const;
const REQUESTED = { type: "permission-requested", requestId: 1 } as const;
const STARTED = { type: "recording-started", requestId: 1, maxMs: MAX_MS } as const;
const ENDED = {
  type: "recording-ended",
  requestId: 1,
  reason: "stopped",
  recorded: recording,
} as const;
const PROGRESS = {
  type: "upload-progressed",
  progress: { kind: "sending", sentBytes: 1, totalBytes: 5 },
} as const;

const play = (events: readonly RecorderEvent[], from = createRecorderState("initial")) =>
  events.reduce(reduceRecorder, from);

/** The shortest event sequence into each phase. */
const PATHS: Record<RecorderPhase, readonly RecorderEvent[]> = {
  opening: [],
  locked: [{ type: "draft-locked" }],
  idle: [OPENED],
  "requesting-permission": [OPENED, REQUESTED],
  "testing-microphone": [OPENED, REQUESTED, { type: "test-started", requestId: 1 }],
  recording: [OPENED, REQUESTED, STARTED],
  paused: [OPENED, REQUESTED, STARTED, { type: "paused" }],
  stopping: [OPENED, REQUESTED, STARTED, { type: "stopping" }],
  reading: [OPENED, { type: "file-selected" }],
  recorded: [OPENED, REQUESTED, STARTED, { type: "stopping" }, ENDED],
};
const PHASES = Object.keys(PATHS) as RecorderPhase[];
const inPhase = (phase: RecorderPhase) => play(PATHS[phase]);
const recordedOf = (state: RecorderState) => ("recorded" in state ? state.recorded : null);

test.each(PHASES)("the shortest path reaches the phase %s", (phase) => {
  expect(inPhase(phase).phase).toBe(phase);
});

/**
 * Each event with the phases that accept it and the phase it leads to. All other phases ignore it.
 */
const TRANSITIONS: [RecorderEvent, Partial<Record<RecorderPhase, RecorderPhase>>][] = [
  [{ type: "draft-locked" }, { opening: "locked" }],
  [OPENED, { opening: "idle", locked: "idle" }],
  [
    { ...OPENED, recorded: recording },
    { opening: "recorded", locked: "recorded" },
  ],
  [{ type: "unsupported", code: "insecure" }, { opening: "idle" }],
  [{ type: "unsupported", code: "no-recorder" }, {}],
  [{ type: "storage-failed" }, {}],
  [{ type: "microphone-selected", id: "usb" }, {}],
  [{ type: "microphones-listed", microphones: [], preferredId: "" }, {}],
  [REQUESTED, { idle: "requesting-permission" }],
  [
    { type: "microphone-failed", requestId: 1, code: "denied" },
    { "requesting-permission": "idle", "testing-microphone": "idle" },
  ],
  [{ type: "test-started", requestId: 1 }, { "requesting-permission": "testing-microphone" }],
  [{ type: "canceled" }, { "requesting-permission": "idle", "testing-microphone": "idle" }],
  [STARTED, { "requesting-permission": "recording", "testing-microphone": "recording" }],
  [{ type: "time-elapsed", requestId: 1, elapsedMs: 1_000, isQuiet: true }, {}],
  [{ type: "paused" }, { recording: "paused" }],
  [{ type: "resumed" }, { paused: "recording" }],
  [{ type: "stopping" }, { recording: "stopping", paused: "stopping" }],
  [ENDED, { recording: "recorded", paused: "recorded", stopping: "recorded" }],
  [
    { ...ENDED, recorded: null },
    { recording: "idle", paused: "idle", stopping: "idle" },
  ],
  [{ type: "file-selected" }, { idle: "reading" }],
  [{ type: "file-read", recorded: recording }, { reading: "recorded" }],
  [{ type: "file-rejected", text: "Too long." }, { reading: "idle" }],
  [{ type: "discarded" }, { recorded: "idle" }],
  [{ type: "submitted" }, {}],
  [{ type: "upload-started", uploadId: "upload-1" }, {}],
  [PROGRESS, {}],
  [{ type: "upload-completed", uploadId: "upload-1" }, {}],
  [{ type: "upload-failed", message: "Failed." }, {}],
  [{ type: "upload-canceled" }, {}],
  [{ type: "upload-error-dismissed" }, {}],
];
test.each(TRANSITIONS)("%o is ignored in all other phases", (event, accepted) => {
  for (const phase of PHASES) {
    const state = inPhase(phase);
    const next = reduceRecorder(state, event);
    expect([phase, next.phase]).toEqual([phase, accepted[phase] ?? phase]);
    expect(recordedOf(next)).toBe(
      next.phase !== "recorded" ? null : phase === "recorded" ? recordedOf(state) : recording,
    );
  }
});

test.each([
  { type: "microphone-failed", requestId: 0, code: "denied" },
  { type: "test-started", requestId: 0 },
  { ...STARTED, requestId: 0 },
  { type: "time-elapsed", requestId: 0, elapsedMs: 9_000, isQuiet: true },
  { ...ENDED, requestId: 0 },
] as const satisfies RecorderEvent[])("an earlier request is ignored: %o", (event) => {
  for (const phase of PHASES) {
    const state = inPhase(phase);
    expect(reduceRecorder(state, event)).toBe(state);
  }
});

test("a second request replaces the first one", () => {
  const state = play([OPENED, REQUESTED, { ...REQUESTED, requestId: 2 }]);
  expect(reduceRecorder(state, STARTED).phase).toBe("requesting-permission");
  expect(reduceRecorder(state, { ...STARTED, requestId: 2 }).phase).toBe("recording");
  const test = play([OPENED, REQUESTED, { type: "test-started", requestId: 1 }]);
  const next = reduceRecorder(test, { ...REQUESTED, requestId: 2 });
  expect(reduceRecorder(next, STARTED).phase).toBe("testing-microphone");
  expect(reduceRecorder(next, { ...STARTED, requestId: 2 }).phase).toBe("recording");
});

test("a request for the microphone clears the problem of the previous one", () => {
  const denied = play([
    OPENED,
    REQUESTED,
    { type: "microphone-failed", requestId: 1, code: "denied" },
  ]);
  expect(denied.problem).toEqual({ code: "denied" });
  expect(reduceRecorder(denied, { ...REQUESTED, requestId: 2 }).problem).toBeNull();
});

test("an interrupted recording is restored with its draft", () => {
  const interrupted = { ...recording, restoredFromMs: 1, wasInterrupted: true };
  const state = play([{ type: "draft-opened", formId: "form-1", recorded: interrupted }]);
  expect([state.phase, state.formId, recordedOf(state)]).toEqual([
    "recorded",
    "form-1",
    interrupted,
  ]);
});

test("a microphone that is disconnected ends the recording and keeps it", () => {
  const state = play([{ ...ENDED, reason: "microphone" }], inPhase("recording"));
  expect([state.phase, state.problem]).toEqual(["recorded", { code: "microphone-lost" }]);
});

test("a microphone that delivers nothing is a problem", () => {
  const state = play([{ ...ENDED, recorded: null }], inPhase("stopping"));
  expect([state.phase, state.problem]).toEqual(["idle", { code: "no-audio" }]);
});

test("a draft that is locked by another tab opens once that tab is closed", () => {
  const locked = inPhase("locked");
  const state = play([{ type: "submitted" }], locked);
  expect(state.upload.step).toBe("failed");
  expect(play([{ ...OPENED, recorded: recording }], state).phase).toBe("recorded");
});

test("a storage failure is reported and doesn't stop the recording", () => {
  const state = play([{ type: "storage-failed" }], inPhase("recording"));
  expect([state.phase, state.isPersistent]).toEqual(["recording", false]);
});

test("an insecure page can't record, but its form can be filled in", () => {
  const state = play([{ type: "unsupported", code: "insecure" }]);
  expect([state.phase, state.problem]).toEqual(["idle", { code: "insecure" }]);
});

test("the preferred microphone is selected, unless another one is", () => {
  const microphones = [
    { id: "built-in", label: "Built-in" },
    { id: "usb", label: "USB" },
  ];
  const listed = { type: "microphones-listed", microphones, preferredId: "usb" } as const;
  const state = play([listed], inPhase("idle"));
  expect(state.microphoneId).toBe("usb");
  const selected = play([{ type: "microphone-selected", id: "built-in" }, listed], state);
  expect(selected.microphoneId).toBe("built-in");
  const unplugged = play([{ ...listed, microphones: [] }], selected);
  expect(unplugged.microphoneId).toBe("");
});

test("each threshold of the remaining time is announced once", () => {
  let state = inPhase("recording");
  const announcements = new Set<string>();
  for (let elapsedMs = 0; elapsedMs <= MAX_MS; elapsedMs += 200) {
    const before = state.announcement;
    state = play([{ type: "time-elapsed", requestId: 1, elapsedMs, isQuiet: false }], state);
    if (state.announcement !== before) announcements.add(`${elapsedMs}: ${state.announcement}`);
  }
  expect([...announcements]).toEqual(["90000: 30 seconds left.", "110000: 10 seconds left."]);
});

test("a background tab that skips both thresholds announces the later one", () => {
  const late = { type: "time-elapsed", requestId: 1, elapsedMs: 115_000, isQuiet: false } as const;
  expect(play([late], inPhase("recording")).announcement).toBe("10 seconds left.");
});

test("submitting a recording uploads it, and the form gets the id", () => {
  const sending = play(
    [{ type: "submitted" }, { type: "upload-started", uploadId: "upload-1" }, PROGRESS],
    inPhase("recorded"),
  );
  expect(sending.upload).toEqual({ step: "running", progress: PROGRESS.progress });
  const done = play([{ type: "upload-completed", uploadId: "upload-1" }], sending);
  expect(done.upload).toEqual({ step: "done", uploadId: "upload-1" });
});

test.each(["opening", "stopping", "reading"] as const)(
  "submitting while %s waits, and is resumed by a second event",
  (phase) => {
    const pending = play([{ type: "submitted" }], inPhase(phase));
    expect(pending.upload.step).toBe("pending");
    const ready = play(
      [{ ...OPENED, recorded: recording }, ENDED, { type: "file-read", recorded: recording }],
      pending,
    );
    expect([ready.phase, ready.upload.step]).toEqual(["recorded", "pending"]);
    expect(play([{ type: "submitted" }], ready).upload.step).toBe("running");
  },
);

test.each([
  "locked",
  "idle",
  "requesting-permission",
  "testing-microphone",
  "recording",
  "paused",
] as const)("submitting while %s explains what is missing", (phase) => {
  const failed = play([{ type: "submitted" }], inPhase(phase));
  expect(failed.upload).toMatchObject({ step: "failed", message: expect.any(String) });
  expect(play([{ type: "upload-error-dismissed" }], failed).upload.step).toBe("none");
});

test("a failed upload can be retried with the same recording", () => {
  const failed = play(
    [{ type: "submitted" }, { type: "upload-failed", message: "Unreachable." }],
    inPhase("recorded"),
  );
  expect([failed.phase, failed.upload]).toEqual([
    "recorded",
    { step: "failed", message: "Unreachable." },
  ]);
  expect(play([{ type: "submitted" }], failed).upload.step).toBe("running");
});

test("progress after a canceled upload is ignored", () => {
  const state = play(
    [{ type: "submitted" }, { type: "upload-canceled" }, PROGRESS],
    inPhase("recorded"),
  );
  expect(state.upload.step).toBe("none");
});

test("submitting twice does not restart the upload", () => {
  const running = play([{ type: "submitted" }, PROGRESS], inPhase("recorded"));
  expect(reduceRecorder(running, { type: "submitted" })).toBe(running);
});

const uploaded = play(
  [
    { type: "submitted" },
    { type: "upload-started", uploadId: "upload-1" },
    { type: "upload-completed", uploadId: "upload-1" },
  ],
  inPhase("recorded"),
);

test("discarding removes the recording and its upload", () => {
  const state = play([{ type: "discarded" }], uploaded);
  expect(state).toMatchObject({
    phase: "idle",
    upload: { step: "none" },
    startedUploadId: null,
    problem: null,
  });
  expect(recordedOf(state)).toBeNull();
});

test("storing the form removes the recording and changes the form id", () => {
  const state = play([{ type: "cleared", formId: "form-2" }], uploaded);
  expect(state).toMatchObject({ phase: "idle", formId: "form-2", upload: { step: "none" } });
  expect(recordedOf(state)).toBeNull();
  for (const phase of ["opening", "locked"] as const)
    expect(play([{ type: "cleared", formId: "form-2" }], inPhase(phase)).phase).toBe(phase);
});

test("switching accounts removes the recording and ignores the end of a running one", () => {
  for (const from of [uploaded, ...PHASES.map(inPhase)]) {
    const state = play([{ type: "draft-opening" }], from);
    expect([state.phase, recordedOf(state), state.upload.step, state.startedUploadId]).toEqual([
      "opening",
      null,
      "none",
      null,
    ]);
    expect(reduceRecorder(state, ENDED)).toBe(state);
  }
});
