// Opens and lists microphones, remembers the preferred one, and classifies errors.

const STORAGE_KEY = "lectern-microphone";

/** Enough for speech in AAC and Opus. Two minutes take 720 kB. */
const BITS_PER_SECOND = 48_000;

/**
 * In order of preference: plays in every browser and podcast app, plays in every current browser,
 * recorded by Safari, recorded by old versions of Firefox.
 */
const MIME_TYPES = [
  "audio/mp4;codecs=mp4a.40.2",
  "audio/webm;codecs=opus",
  "audio/mp4",
  "audio/ogg;codecs=opus",
  "audio/webm",
];

export type MicrophoneProblem =
  "insecure" | "no-recorder" | "denied" | "not-found" | "in-use" | "other";

/**
 * Returns what prevents this browser from recording, without asking for permission; null if nothing
 * does.
 */
export function findRecordingProblem(): MicrophoneProblem | null {
  if (!isSecureContext) return "insecure";
  if (typeof MediaRecorder === "undefined" || !navigator.mediaDevices?.getUserMedia)
    return "no-recorder";
  return null;
}

/**
 * Returns whether the document's Permissions-Policy blocks the microphone. Client-side navigation
 * keeps the policy of the first page; a reload applies the current one.
 */
export function isMicrophoneBlockedByPolicy(): boolean {
  const policy = (
    document as Document & { featurePolicy?: { allowsFeature(name: string): boolean } }
  ).featurePolicy;
  return policy ? !policy.allowsFeature("microphone") : false;
}

export function classifyMicrophoneError(error: unknown): MicrophoneProblem {
  const name = error instanceof DOMException ? error.name : "";
  if (name === "NotAllowedError" || name === "SecurityError") return "denied";
  if (name === "NotFoundError" || name === "OverconstrainedError") return "not-found";
  if (name === "NotReadableError" || name === "AbortError") return "in-use";
  return "other";
}

export interface Microphone {
  readonly id: string;
  readonly label: string;
}

/**
 * Lists the microphones. Empty until permission is granted, since browsers hide device names to
 * prevent fingerprinting.
 */
export async function listMicrophones(): Promise<Microphone[]> {
  if (!navigator.mediaDevices?.enumerateDevices) return [];
  const devices = await navigator.mediaDevices.enumerateDevices();
  return devices
    .filter(({ kind, label, deviceId }) => kind === "audioinput" && label && deviceId)
    .map(({ deviceId, label }) => ({ id: deviceId, label }));
}

/** Returns the id of the preferred microphone; "" if none is saved. */
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
    // Storage is blocked.
  }
}

/**
 * Opens the microphone `id`, or the default one if it isn't connected. The caller must close it.
 */
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
    if (classifyMicrophoneError(error) !== "not-found") throw error;
    return navigator.mediaDevices.getUserMedia({ audio });
  }
}

/** Stops all tracks, which turns the microphone off. */
export function closeMicrophone(stream: MediaStream | null): void {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

/** Returns a recorder of the first supported type, or of the browser's default type. */
export function createMediaRecorder(stream: MediaStream): MediaRecorder {
  const mimeType = MIME_TYPES.find((type) => MediaRecorder.isTypeSupported(type));
  return new MediaRecorder(stream, {
    ...(mimeType && { mimeType }),
    audioBitsPerSecond: BITS_PER_SECOND,
  });
}
