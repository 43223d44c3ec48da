"use client";
// What the recorder does, without how it looks: microphone, recording, file, draft.

import { useCallback, useEffect, useRef, useState } from "react";
import { acquireDraftLock } from "#lib/calls/client/draft-lock.ts";
import { DraftRepository } from "#lib/calls/client/draft-repository.ts";
import { type LevelMeter, startLevelMeter } from "#lib/calls/client/level-meter.ts";
import { formatPositionSpoken, formatDurationSpoken } from "#lib/calls/client/format-time.ts";
import {
  MICROPHONE_PROBLEMS,
  type Microphone,
  closeMicrophone,
  listMicrophones,
  openMicrophone,
  classifyMicrophoneError,
  findRecordingProblem,
  savePreferredMicrophone,
  loadPreferredMicrophone,
} from "#lib/calls/client/microphone.ts";
import { readAudioFile } from "#lib/calls/client/read-audio-file.ts";
import { RecordingSession } from "#lib/calls/client/recording-session.ts";

/** Audio that can be heard, sent and thrown away. */
export interface RecordedAudio {
  readonly audio: Blob;
  readonly durationMs: number;
  readonly levels: readonly number[];
  readonly fileName: string | null;
  /** Set when it was found on a visit after the one it was made in. */
  readonly restoredFromMs: number | null;
  /** Found, and the tab was closed while it recorded. */
  readonly wasInterrupted: boolean;
}

export type RecorderPhase =
  | "opening"
  | "elsewhere"
  | "idle"
  | "asking"
  | "checking"
  | "recording"
  | "paused"
  | "ending"
  | "reading"
  | "recorded";

export interface RecorderProblem {
  readonly title: string;
  readonly text: string;
}

/** Silence for so long is said in words: nobody should talk two minutes to a muted microphone. */
const QUIET_TENTHS = 40;
const QUIET_LEVEL = 8;
const ANNOUNCE_REMAINING_MS = [30_000, 10_000];

interface RecorderOptions {
  draftKey: string;
  formId: string;
  maxMs: number;
  /** Called with the kept texts when there are some. */
  onTexts: (texts: Readonly<Record<string, string>>) => void;
}

export function useRecorder({ draftKey, formId, maxMs, onTexts }: RecorderOptions) {
  const [phase, setPhase] = useState<RecorderPhase>("opening");
  const [recorded, setRecorded] = useState<RecordedAudio | null>(null);
  const [problem, setProblem] = useState<RecorderProblem | null>(null);
  const [isLasting, setLasting] = useState(true);
  const [elapsedMs, setElapsedMs] = useState(0);
  const [isQuiet, setQuiet] = useState(false);
  const [said, say] = useState("");
  const [microphones, setMicrophones] = useState<Microphone[]>([]);
  const [microphone, setMicrophone] = useState("");
  // The first one: what a refused form sent comes back as another property, and is the same.
  const [givenFormId] = useState(formId);
  const [currentFormId, setFormId] = useState(formId);
  const keeper = useRef<DraftRepository | null>(null);
  const recording = useRef<RecordingSession | null>(null);
  const check = useRef<{ stream: MediaStream; meter: LevelMeter } | null>(null);
  const levelListeners = useRef(new Set<(level: number) => void>());
  /** Counts the askings: an answer to one that was given up closes the microphone at once. */
  const asked = useRef(0);
  const restore = useRef(onTexts);
  useEffect(() => {
    restore.current = onTexts;
  });

  const hear = useCallback(
    (level: number) => levelListeners.current.forEach((listener) => listener(level)),
    [],
  );
  const onLevel = useCallback((listener: (level: number) => void) => {
    levelListeners.current.add(listener);
    return () => void levelListeners.current.delete(listener);
  }, []);

  const closeCheck = useCallback(() => {
    check.current?.meter.close();
    closeMicrophone(check.current?.stream ?? null);
    check.current = null;
  }, []);

  const refreshMicrophones = useCallback(async () => {
    const found = await listMicrophones().catch(() => []);
    setMicrophones(found);
    setMicrophone((current) =>
      found.some(({ id }) => id === current)
        ? current
        : (found.find(({ id }) => id === loadPreferredMicrophone())?.id ?? ""),
    );
  }, []);

  useEffect(() => {
    const lock = new AbortController();
    let isGone = false;
    const open = async () => {
      if (isGone) return;
      const opened = await DraftRepository.open(draftKey, crypto.randomUUID(), () =>
        setLasting(false),
      );
      if (isGone) return opened.keeper.close();
      keeper.current = opened.keeper;
      const { draft } = opened.keeper;
      // A page that comes back from the browser's history has the id of a form that was sent already: a fresh one each time.
      setFormId(draft.formId || givenFormId);
      if (opened.isFound) restore.current(draft.texts);
      if (opened.audio) {
        setRecorded({
          audio: opened.audio,
          durationMs: draft.durationMs,
          levels: draft.levels,
          fileName: draft.fileName,
          restoredFromMs: draft.startedAtMs,
          wasInterrupted: !draft.complete,
        });
        setPhase("recorded");
      } else setPhase("idle");
    };
    const problem = findRecordingProblem();
    if (problem) setProblem(MICROPHONE_PROBLEMS[problem]);
    // Without crypto there is no id for an upload either: only the words remain.
    if (problem === "insecure") setPhase("idle");
    else
      void acquireDraftLock(`lectern-draft/${draftKey}`, lock.signal, {
        onMine: () => void open(),
        onElsewhere: () => setPhase("elsewhere"),
      });
    const onDevices = () => void refreshMicrophones();
    onDevices();
    navigator.mediaDevices?.addEventListener("devicechange", onDevices);
    // From the browser's memory of pages comes what was true before the form was sent.
    const onShow = ({ persisted }: PageTransitionEvent) => persisted && location.reload();
    addEventListener("pageshow", onShow);
    return () => {
      isGone = true;
      removeEventListener("pageshow", onShow);
      navigator.mediaDevices?.removeEventListener("devicechange", onDevices);
      asked.current += 1;
      closeCheck();
      const [last, kept] = [recording.current, keeper.current];
      recording.current = keeper.current = null;
      last?.stop();
      // The last piece comes after the stop; only then may another tab, or this page shown again, have the draft.
      void Promise.resolve(last?.ended)
        .then(() => kept?.close())
        .finally(() => lock.abort());
    };
  }, [draftKey, givenFormId, closeCheck, refreshMicrophones]);

  /** An open microphone; null when there is none or nobody waits for it any more. */
  const openOne = async (id: string, back: RecorderPhase): Promise<MediaStream | null> => {
    const mine = ++asked.current;
    setProblem(null);
    try {
      const stream = await openMicrophone(id);
      if (asked.current !== mine) {
        closeMicrophone(stream);
        return null;
      }
      void refreshMicrophones();
      return stream;
    } catch (error) {
      if (asked.current !== mine) return null;
      setProblem(MICROPHONE_PROBLEMS[classifyMicrophoneError(error)]);
      setPhase(back);
      return null;
    }
  };

  const start = async () => {
    const keep = keeper.current;
    const forbidden = findRecordingProblem();
    if (forbidden) return setProblem(MICROPHONE_PROBLEMS[forbidden]);
    if (!keep || recording.current) return;
    let stream = check.current?.stream ?? null;
    if (stream) {
      check.current?.meter.close();
      check.current = null;
    } else {
      setPhase("asking");
      stream = await openOne(microphone, "idle");
    }
    if (!stream) return;
    const pieces: Blob[] = [];
    const left = new Set(ANNOUNCE_REMAINING_MS.filter((ms) => ms < maxMs));
    try {
      const made = new RecordingSession(stream, maxMs, {
        onChunk(piece) {
          pieces.push(piece);
          void keep.appendChunk(piece, {
            type: made.type,
            startedAtMs: made.startedAtMs,
            durationMs: Math.min(made.elapsedMs, maxMs),
            levels: [...made.levels],
            complete: false,
            fileName: null,
          });
        },
        onLevel: hear,
        onTime(ms) {
          setElapsedMs(Math.min(ms, maxMs));
          const last = made.levels.slice(-QUIET_TENTHS);
          setQuiet(last.length === QUIET_TENTHS && Math.max(...last) < QUIET_LEVEL);
          for (const ms of left) {
            if (maxMs - made.elapsedMs > ms) continue;
            left.delete(ms);
            say(`${formatPositionSpoken(ms)} left.`);
          }
        },
        onEnd(reason) {
          recording.current = null;
          const durationMs = Math.min(made.elapsedMs, maxMs);
          const audio = new Blob(pieces, { type: made.type });
          setQuiet(false);
          if (audio.size === 0) {
            void keep.removeAudio();
            setProblem({
              title: "Nothing was recorded.",
              text: "The microphone gave no sound. Try again, or choose another microphone.",
            });
            return setPhase("idle");
          }
          void keep.update({ complete: true, durationMs, levels: [...made.levels] });
          setRecorded({
            audio,
            durationMs,
            levels: made.levels,
            fileName: null,
            restoredFromMs: null,
            wasInterrupted: false,
          });
          setPhase("recorded");
          if (reason === "microphone")
            setProblem({
              title: "The microphone went away.",
              text: "The recording ended there; what you said until then is below.",
            });
          say(
            reason === "time"
              ? `The ${formatPositionSpoken(maxMs)} are over. The recording has ended and is kept.`
              : `Recorded ${formatDurationSpoken(durationMs)}.`,
          );
        },
      });
      recording.current = made;
      setElapsedMs(0);
      setPhase("recording");
      say(`Recording. You have ${formatPositionSpoken(maxMs)}.`);
    } catch {
      closeMicrophone(stream);
      setProblem(MICROPHONE_PROBLEMS.other);
      setPhase("idle");
    }
  };

  /** Opens the microphone only to look whether it hears anything; also to change it while looking. */
  const lookAt = async (id: string) => {
    if (id !== microphone) {
      setMicrophone(id);
      savePreferredMicrophone(id);
    }
    const forbidden = findRecordingProblem();
    if (forbidden) return setProblem(MICROPHONE_PROBLEMS[forbidden]);
    closeCheck();
    setPhase("asking");
    const stream = await openOne(id, "idle");
    if (!stream) return;
    check.current = { stream, meter: startLevelMeter(stream, hear) };
    setPhase("checking");
    say("The microphone is on. Nothing is recorded yet.");
  };

  const choose = (id: string) => {
    setMicrophone(id);
    savePreferredMicrophone(id);
    if (phase === "checking") void lookAt(id);
  };

  const giveUp = () => {
    asked.current += 1;
    closeCheck();
    setPhase("idle");
  };

  const pause = () => {
    recording.current?.pause();
    setPhase("paused");
    say(`Paused at ${formatPositionSpoken(recording.current?.elapsedMs ?? 0)}.`);
  };
  const goOn = () => {
    recording.current?.resume();
    setPhase("recording");
    say("Recording again.");
  };
  const stop = () => {
    setPhase("ending");
    recording.current?.stop();
  };

  const throwAway = () => {
    void keeper.current?.removeAudio();
    setRecorded(null);
    setProblem(null);
    setElapsedMs(0);
    setPhase("idle");
    say("Thrown away.");
  };

  const takeFile = async (file: File) => {
    const keep = keeper.current;
    if (!keep) return setProblem(MICROPHONE_PROBLEMS.insecure);
    const before = phase;
    setProblem(null);
    setPhase("reading");
    try {
      const { audio, durationMs, levels } = await readAudioFile(file, maxMs);
      if (keeper.current !== keep) return;
      await keep.removeAudio();
      await keep.appendChunk(audio, {
        type: audio.type,
        fileName: file.name,
        startedAtMs: Date.now(),
        durationMs,
        levels,
        complete: true,
      });
      setRecorded({
        audio,
        durationMs,
        levels,
        fileName: file.name,
        restoredFromMs: null,
        wasInterrupted: false,
      });
      setPhase("recorded");
      say(`${file.name}, ${formatDurationSpoken(durationMs)}.`);
    } catch (error) {
      setProblem({
        title: "This file can’t be taken.",
        text: error instanceof Error && error.message ? error.message : "It could not be read.",
      });
      setPhase(before === "recorded" ? "recorded" : "idle");
    }
  };

  /** Another upload for the same audio: the server has other bytes under the first. */
  const renewUpload = async () => {
    const uploadId = crypto.randomUUID();
    await keeper.current?.update({ uploadId });
    return uploadId;
  };

  /** After the form was stored: nothing is kept any more. */
  const forget = useCallback(() => {
    const fresh = crypto.randomUUID();
    void keeper.current?.reset(fresh);
    setFormId(fresh);
    setRecorded(null);
    setElapsedMs(0);
    setPhase("idle");
  }, []);

  return {
    phase,
    recorded,
    problem,
    isLasting,
    elapsedMs,
    isQuiet,
    said,
    microphones,
    microphone,
    formId: currentFormId,
    keeper,
    onLevel,
    start,
    lookAt,
    choose,
    giveUp,
    pause,
    goOn,
    stop,
    throwAway,
    takeFile,
    renewUpload,
    forget,
    setProblem,
  };
}
