import { afterEach, expect, test, vi } from "vitest";
import { createMediaRecorder } from "./microphone.ts";

afterEach(() => vi.unstubAllGlobals());

/** Returns the type that a browser with these types records. */
function recordedType(...supported: string[]): string | undefined {
  vi.stubGlobal(
    "MediaRecorder",
    class {
      static isTypeSupported = (type: string) => supported.includes(type);
      readonly mimeType: string | undefined;
      constructor(_stream: MediaStream, options: MediaRecorderOptions) {
        this.mimeType = options.mimeType;
      }
    },
  );
  return createMediaRecorder({} as MediaStream).mimeType;
}

test("a browser that records both MP4 with AAC and WebM records MP4", () => {
  const [mp4, webm] = ["audio/mp4;codecs=mp4a.40.2", "audio/webm;codecs=opus"] as const;
  expect(recordedType(webm, mp4, "audio/mp4", "audio/webm")).toBe(mp4);
  expect(recordedType(webm, "audio/mp4", "audio/webm")).toBe(webm);
  expect(recordedType("audio/mp4")).toBe("audio/mp4");
  expect(recordedType()).toBeUndefined();
});
