// Uploads the recording of a draft and reports progress to the recorder.

import type { DraftRepository } from "./draft-repository.ts";
import type { RecorderEvent } from "./recorder-types.ts";
import { UploadError, type UploadProgress, uploadRecording } from "./uploader.ts";

/** Returns the id of the upload; null if it failed (which is dispatched) or `signal` aborted. */
export async function uploadDraft({
  audio,
  repository,
  signal,
  dispatch,
}: {
  audio: Blob;
  repository: DraftRepository;
  signal: AbortSignal;
  dispatch: (event: RecorderEvent) => void;
}): Promise<string | null> {
  const report = (event: RecorderEvent) => void (signal.aborted || dispatch(event));
  const onProgress = (progress: UploadProgress) => report({ type: "upload-progressed", progress });
  const upload = async (id: string) => {
    report({ type: "upload-started", uploadId: id });
    await uploadRecording({ id, audio, signal, onProgress });
    return id;
  };
  try {
    const uploadId = await upload(repository.draft.uploadId).catch(async (error: unknown) => {
      if (!(error instanceof UploadError) || error.status !== 409) throw error;
      // The server has other bytes under this id.
      const newId = crypto.randomUUID();
      await repository.update({ uploadId: newId });
      return upload(newId);
    });
    // The form's response may be lost, so the draft keeps its texts until it arrives.
    await repository.flush();
    return signal.aborted ? null : uploadId;
  } catch (error) {
    const message =
      error instanceof UploadError
        ? error.message
        : "We couldn’t read the recording. Try again, or record it again.";
    report({ type: "upload-failed", message });
    return null;
  }
}
