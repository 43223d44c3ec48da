// The microphone: what the browser can record, which one is used, and what went wrong in plain words.

const STORAGE_KEY = "lectern-microphone";

/** Opus for speech; 48 kbit/s are 720 kB for two minutes. */
const BITS_PER_SECOND = 48_000;

/** In this order: what every newer browser plays first, then what Safari records, then an old Firefox. */
const MIME_TYPES = [
  "audio/webm;codecs=opus",
  "audio/mp4;codecs=mp4a.40.2",
  "audio/mp4",
  "audio/ogg;codecs=opus",
  "audio/webm",
];

export type MicrophoneProblem = "insecure" | "no-recorder" | "refused" | "none" | "busy" | "other";

export const MICROPHONE_PROBLEMS: Record<MicrophoneProblem, { title: string; text: string }> = {
  insecure: {
    title: "Recording needs a secure connection.",
    text: "This page was opened over plain http. Open it with https to record or to choose a file.",
  },
  "no-recorder": {
    title: "This browser can’t record.",
    text: "Choose a file that you recorded elsewhere.",
  },
  refused: {
    title: "The browser did not allow the microphone.",
    text: "Open the site’s settings at the left end of the address bar, set the microphone to “Allow”, and try again. On a phone, also look whether the system’s settings let this browser use the microphone.",
  },
  none: {
    title: "No microphone was found.",
    text: "Plug one in or switch it on and try again, or choose a file that you recorded elsewhere.",
  },
  busy: {
    title: "The microphone can’t be opened.",
    text: "Another program may be using it: end its call or recording and try again.",
  },
  other: {
    title: "The microphone did not start.",
    text: "Try again. If it stays so, choose a file that you recorded elsewhere.",
  },
};

/** What keeps this browser from recording, before anybody is asked; null when nothing does. */
export function findRecordingProblem(): MicrophoneProblem | null {
  if (!isSecureContext) return "insecure";
  if (typeof MediaRecorder === "undefined" || !navigator.mediaDevices?.getUserMedia)
    return "no-recorder";
  return null;
}

/**
 * Whether this document may ask for the microphone at all. A page that was reached without loading a document keeps the
 * policy of the document before it, which names no microphone: then a reload helps.
 */
export function isMicrophoneBlockedByPolicy(): boolean {
  const policy = (
    document as Document & { featurePolicy?: { allowsFeature(name: string): boolean } }
  ).featurePolicy;
  return policy ? !policy.allowsFeature("microphone") : false;
}

export function classifyMicrophoneError(error: unknown): MicrophoneProblem {
  const name = error instanceof DOMException ? error.name : "";
  if (name === "NotAllowedError" || name === "SecurityError") return "refused";
  if (name === "NotFoundError" || name === "OverconstrainedError") return "none";
  if (name === "NotReadableError" || name === "AbortError") return "busy";
  return "other";
}

export interface Microphone {
  readonly id: string;
  readonly label: string;
}

/** The microphones by name; none before the browser was allowed to use one, since their names tell who somebody is. */
export async function listMicrophones(): Promise<Microphone[]> {
  if (!navigator.mediaDevices?.enumerateDevices) return [];
  const devices = await navigator.mediaDevices.enumerateDevices();
  return devices
    .filter(({ kind, label, deviceId }) => kind === "audioinput" && label && deviceId)
    .map(({ deviceId, label }) => ({ id: deviceId, label }));
}

export function loadPreferredMicrophone(): string {
  try {
    return localStorage.getItem(STORAGE_KEY) ?? "";
  } catch {
    return ""; // storage is blocked
  }
}

export function savePreferredMicrophone(id: string): void {
  try {
    localStorage.setItem(STORAGE_KEY, id);
  } catch {
    // Storage is blocked: it is chosen again next time.
  }
}

/** Opens the microphone: the one asked for, or the usual one when that is not there. The caller closes it. */
export async function openMicrophone(id: string): Promise<MediaStream> {
  const audio: MediaTrackConstraints = {
    channelCount: 1,
    echoCancellation: true,
    noiseSuppression: true,
    autoGainControl: true,
  };
  if (!id) return navigator.mediaDevices.getUserMedia({ audio });
  try {
    return await navigator.mediaDevices.getUserMedia({
      audio: { ...audio, deviceId: { exact: id } },
    });
  } catch (error) {
    if (classifyMicrophoneError(error) !== "none") throw error;
    return navigator.mediaDevices.getUserMedia({ audio });
  }
}

export function closeMicrophone(stream: MediaStream | null): void {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

/** A recorder of the first type that this browser knows; its own choice when it knows none of ours. */
export function createMediaRecorder(stream: MediaStream): MediaRecorder {
  const mimeType = MIME_TYPES.find((type) => MediaRecorder.isTypeSupported(type));
  return new MediaRecorder(stream, {
    ...(mimeType && { mimeType }),
    audioBitsPerSecond: BITS_PER_SECOND,
  });
}
