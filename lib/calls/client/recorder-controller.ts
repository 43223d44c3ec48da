// Runs the recorder's side effects (microphone, recording, file, local draft, upload) and holds its
// state. recorder-state.ts has the transitions.

import { acquireDraftLock } from "./draft-lock.ts";
import { DraftRepository } from "./draft-repository.ts";
import { type LevelMeter, isQuiet, startLevelMeter } from "./level-meter.ts";
import {
  classifyMicrophoneError,
  closeMicrophone,
  findRecordingProblem,
  listMicrophones,
  loadPreferredMicrophone,
  openMicrophone,
  savePreferredMicrophone,
} from "./microphone.ts";
import { readAudioFile } from "./read-audio-file.ts";
import { PENDING_MESSAGES } from "./recorder-messages.ts";
import { createRecorderState, reduceRecorder } from "./recorder-state.ts";
import type { RecorderEvent, RecorderState } from "./recorder-types.ts";
import type { DraftTexts } from "./recording-draft.ts";
import { RecordingSession } from "./recording-session.ts";
import { uploadDraft } from "./upload-draft.ts";
import { abortUpload } from "./uploader.ts";

interface OpenMicrophone {
  readonly requestId: number;
  readonly stream: MediaStream;
}

const NOT_RESTORED = { restoredFromMs: null, wasInterrupted: false };

/** A store for useSyncExternalStore. A method does nothing in phases that don't show its button. */
export class RecorderController {
  readonly #maxMs: number;
  /** From the first render: a rejected form passes the id it sent as a new initial value. */
  readonly #initialFormId: string;
  readonly #listeners = new Set<() => void>();
  readonly #levelListeners = new Set<(level: number) => void>();
  #state: RecorderState;
  #repository: DraftRepository | null = null;
  #session: RecordingSession | null = null;
  #test: (OpenMicrophone & { readonly meter: LevelMeter }) | null = null;
  #upload: AbortController | null = null;
  /** Typed before the draft was open. */
  #earlyTexts: DraftTexts = {};
  /**
   * Identifies the latest microphone request. An earlier one that succeeds later closes its stream.
   */
  #requestId = 0;

  constructor({ formId, maxMs }: { formId: string; maxMs: number }) {
    this.#initialFormId = formId;
    this.#maxMs = maxMs;
    this.#state = createRecorderState(formId);
  }

  getState = (): RecorderState => this.#state;

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };

  subscribeToLevel = (listener: (level: number) => void): (() => void) => {
    this.#levelListeners.add(listener);
    return () => void this.#levelListeners.delete(listener);
  };

  dispatch(event: RecorderEvent): void {
    this.#state = reduceRecorder(this.#state, event);
    for (const listener of this.#listeners) listener();
  }

  /** Opens the draft, or waits until another tab closes it. Returns a function that closes it. */
  open(draftKey: string, onTextsRestored: (texts: DraftTexts) => void): () => void {
    const lock = new AbortController();
    let isClosed = false;
    const dispatch = (event: RecorderEvent) => void (isClosed || this.dispatch(event));
    const onAcquired = async () => {
      if (isClosed) return;
      const { repository, audio, wasRestored } = await DraftRepository.open(
        draftKey,
        crypto.randomUUID(),
        () => dispatch({ type: "storage-failed" }),
      );
      if (isClosed) return repository.close();
      this.#repository = repository;
      const { draft } = repository;
      if (wasRestored) onTextsRestored(draft.texts);
      const typed = Object.entries(this.#earlyTexts).filter(([, text]) => text);
      if (typed.length > 0) this.saveTexts({ ...draft.texts, ...Object.fromEntries(typed) });
      const recorded = audio && {
        audio,
        durationMs: draft.durationMs,
        levels: draft.levels,
        fileName: draft.fileName,
        restoredFromMs: draft.startedAtMs,
        wasInterrupted: !draft.complete,
      };
      // A page from the back/forward cache has the id of a form that was already sent.
      dispatch({ type: "draft-opened", formId: draft.formId || this.#initialFormId, recorded });
    };
    this.#earlyTexts = {};
    dispatch({ type: "draft-opening" });
    const problem = findRecordingProblem();
    if (problem) dispatch({ type: "unsupported", code: problem });
    // Insecure pages have no crypto.randomUUID for upload ids: only the text fields work.
    if (problem !== "insecure")
      void acquireDraftLock(`lectern-draft/${draftKey}`, lock.signal, {
        onAcquired: () => void onAcquired(),
        onLocked: () => dispatch({ type: "draft-locked" }),
      });
    const onDeviceChange = () => void this.#listMicrophones();
    onDeviceChange();
    navigator.mediaDevices?.addEventListener("devicechange", onDeviceChange);
    // The back/forward cache shows the state before the form was sent.
    const onPageShow = ({ persisted }: PageTransitionEvent) => persisted && location.reload();
    addEventListener("pageshow", onPageShow);
    return () => {
      isClosed = true;
      removeEventListener("pageshow", onPageShow);
      navigator.mediaDevices?.removeEventListener("devicechange", onDeviceChange);
      void this.#close().finally(() => lock.abort());
    };
  }

  async #close(): Promise<void> {
    this.#requestId += 1;
    this.#stopTest();
    this.#upload?.abort();
    this.#upload = null;
    const [session, repository] = [this.#session, this.#repository];
    this.#session = this.#repository = null;
    session?.stop();
    // The last chunk follows the stop; only then may another tab open the draft.
    await session?.ended;
    await repository?.close();
  }

  saveTexts = (texts: DraftTexts): void => {
    if (this.#repository) void this.#repository.updateTexts(texts);
    else this.#earlyTexts = texts;
  };

  async start(): Promise<void> {
    const repository = this.#repository;
    if (this.#reportUnsupported() || !repository || this.#session) return;
    let microphone: OpenMicrophone | null = this.#test;
    if (this.#test) {
      this.#test.meter.close();
      this.#test = null;
    } else microphone = await this.#requestMicrophone();
    if (microphone) this.#record(repository, microphone);
  }

  /** Opens the microphone without recording, so that the member sees whether it picks up sound. */
  async testMicrophone(): Promise<void> {
    if (this.#reportUnsupported()) return;
    this.#stopTest();
    const microphone = await this.#requestMicrophone();
    if (!microphone) return;
    this.#test = { ...microphone, meter: startLevelMeter(microphone.stream, this.#notifyLevel) };
    this.dispatch({ type: "test-started", requestId: microphone.requestId });
  }

  selectMicrophone(id: string): void {
    this.dispatch({ type: "microphone-selected", id });
    savePreferredMicrophone(id);
    if (this.#state.phase === "testing-microphone") void this.testMicrophone();
  }

  /** Cancels the microphone request or test. */
  cancel(): void {
    this.#requestId += 1;
    this.#stopTest();
    this.dispatch({ type: "canceled" });
  }

  pause(): void {
    this.#session?.pause();
    this.dispatch({ type: "paused" });
  }

  resume(): void {
    this.#session?.resume();
    this.dispatch({ type: "resumed" });
  }

  stop(): void {
    this.dispatch({ type: "stopping" });
    this.#session?.stop();
  }

  discard(): void {
    const { phase, startedUploadId } = this.#state;
    if (phase !== "recorded") return;
    this.cancelUpload();
    if (startedUploadId) void abortUpload(startedUploadId);
    void this.#repository?.removeAudio();
    this.dispatch({ type: "discarded" });
  }

  async selectFile(file: File): Promise<void> {
    const repository = this.#repository;
    if (!repository) return this.dispatch({ type: "unsupported", code: "insecure" });
    if (this.#state.phase !== "idle") return;
    this.dispatch({ type: "file-selected" });
    try {
      const { audio, durationMs, levels } = await readAudioFile(file, this.#maxMs);
      if (this.#repository !== repository) return;
      const { type } = audio;
      const recorded = { audio, durationMs, levels, fileName: file.name, ...NOT_RESTORED };
      const stored = { type, fileName: file.name, startedAtMs: Date.now(), durationMs, levels };
      await repository.removeAudio();
      await repository.appendChunk(audio, { ...stored, complete: true });
      if (this.#repository === repository) this.dispatch({ type: "file-read", recorded });
    } catch (error) {
      const text = error instanceof Error && error.message ? error.message : "Try another file.";
      if (this.#repository === repository) this.dispatch({ type: "file-rejected", text });
    }
  }

  /** Removes the stored draft once the server has stored the form. */
  clear(): void {
    const formId = crypto.randomUUID();
    const [session, repository] = [this.#session, this.#repository];
    this.#session = null;
    this.#stopTest();
    this.cancelUpload();
    session?.stop();
    void Promise.resolve(session?.ended).then(() => repository?.reset(formId));
    this.dispatch({ type: "cleared", formId });
  }

  /**
   * Uploads the recording, after waiting for a phase that ends by itself. Calls `isValid` after
   * such a wait, because it may have filled in fields. Returns the upload id for the form, or null
   * if the form must not be submitted.
   */
  async upload(isValid: () => boolean): Promise<string | null> {
    if (this.#upload) return null;
    const abort = (this.#upload = new AbortController());
    try {
      this.dispatch({ type: "submitted" });
      if (this.#state.upload.step === "pending") {
        await this.#waitWhilePending(abort.signal);
        if (abort.signal.aborted) return null;
        this.dispatch({ type: "submitted" });
        if (this.getState().upload.step === "running" && !isValid()) {
          this.dispatch({ type: "upload-canceled" });
          return null;
        }
      }
      const repository = this.#repository;
      if (this.#state.phase !== "recorded" || !repository) return null;
      return await uploadDraft({
        audio: this.#state.recorded.audio,
        repository,
        signal: abort.signal,
        dispatch: (event) => this.dispatch(event),
      });
    } finally {
      if (this.#upload === abort) this.#upload = null;
    }
  }

  cancelUpload(): void {
    this.#upload?.abort();
    this.#upload = null;
    this.dispatch({ type: "upload-canceled" });
  }

  #waitWhilePending(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const check = () => {
        const { phase } = this.#state;
        if (!signal.aborted && phase in PENDING_MESSAGES) return;
        unsubscribe();
        signal.removeEventListener("abort", check);
        resolve();
      };
      const unsubscribe = this.subscribe(check);
      signal.addEventListener("abort", check);
    });
  }

  #record(repository: DraftRepository, { requestId, stream }: OpenMicrophone): void {
    const chunks: Blob[] = [];
    try {
      const session = new RecordingSession(stream, this.#maxMs, {
        onChunk(chunk) {
          chunks.push(chunk);
          const { type, startedAtMs, elapsedMs: durationMs, levels } = session;
          const audio = { type, startedAtMs, durationMs, levels: [...levels], fileName: null };
          void repository.appendChunk(chunk, { ...audio, complete: false });
        },
        onLevel: this.#notifyLevel,
        onTime: (elapsedMs) =>
          this.dispatch({
            type: "time-elapsed",
            requestId,
            elapsedMs,
            isQuiet: isQuiet(session.levels),
          }),
        onEnd: (reason) => {
          if (this.#session === session) this.#session = null;
          const { elapsedMs: durationMs, levels } = session;
          const audio = new Blob(chunks, { type: session.type });
          const recorded =
            audio.size > 0 ? { audio, durationMs, levels, fileName: null, ...NOT_RESTORED } : null;
          void (recorded
            ? repository.update({ complete: true, durationMs, levels: [...levels] })
            : repository.removeAudio());
          this.dispatch({ type: "recording-ended", requestId, reason, recorded });
        },
      });
      this.#session = session;
      this.dispatch({ type: "recording-started", requestId, maxMs: this.#maxMs });
    } catch {
      closeMicrophone(stream);
      this.dispatch({ type: "microphone-failed", requestId, code: "other" });
    }
  }

  /** Returns null if the request failed or a later one replaced it. */
  async #requestMicrophone(): Promise<OpenMicrophone | null> {
    const requestId = ++this.#requestId;
    this.dispatch({ type: "permission-requested", requestId });
    const { phase } = this.#state;
    if (phase !== "requesting-permission" && phase !== "testing-microphone") return null;
    try {
      const stream = await openMicrophone(this.#state.microphoneId);
      if (this.#requestId !== requestId) {
        closeMicrophone(stream);
        return null;
      }
      void this.#listMicrophones();
      return { requestId, stream };
    } catch (error) {
      this.dispatch({ type: "microphone-failed", requestId, code: classifyMicrophoneError(error) });
      return null;
    }
  }

  async #listMicrophones(): Promise<void> {
    const microphones = await listMicrophones().catch(() => []);
    const preferredId = loadPreferredMicrophone();
    this.dispatch({ type: "microphones-listed", microphones, preferredId });
  }

  #stopTest(): void {
    this.#test?.meter.close();
    closeMicrophone(this.#test?.stream ?? null);
    this.#test = null;
  }

  #reportUnsupported(): boolean {
    const code = findRecordingProblem();
    if (code) this.dispatch({ type: "unsupported", code });
    return code !== null;
  }

  #notifyLevel = (level: number): void =>
    this.#levelListeners.forEach((listener) => listener(level));
}
