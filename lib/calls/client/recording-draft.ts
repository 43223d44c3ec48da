// Defines the draft of a recording, which the browser stores until the server has the recording.

/** Text fields of a form by name. */
export type DraftTexts = Readonly<Record<string, string>>;

/** A recording and its texts. Property names are stored in IndexedDB: renaming one loses drafts. */
export interface RecordingDraft {
  /** The owner and purpose: see buildDraftKey(). */
  readonly key: string;
  /** The upload's id on the server. The same upload resumes after a reload. */
  readonly uploadId: string;
  /**
   * The idempotency key of the form: resubmitting after a lost response creates no second call. ""
   * if the form has none.
   */
  readonly formId: string;
  /** The MIME type with codec; "" without audio. */
  readonly type: string;
  /** The name of a selected file; null for a recording. */
  readonly fileName: string | null;
  /** When the recording started (Unix time in ms). */
  readonly startedAtMs: number;
  /** When any part of the draft was last stored (Unix time in ms). */
  readonly savedAtMs: number;
  /** The length of the audio without pauses. */
  readonly durationMs: number;
  /** False during the recording: a restored draft was interrupted. */
  readonly complete: boolean;
  /** The number of stored audio chunks. */
  readonly pieces: number;
  /** The peak of each tenth of a second, 0–100. */
  readonly levels: readonly number[];
  readonly texts: DraftTexts;
}

/** Unsent recordings expire after two weeks. */
export const DRAFT_TTL_MS = 14 * 86_400_000;

/**
 * Returns the key of a draft. `owner` is an opaque id of the member, so that members who share a
 * computer find only their own drafts. Logging out keeps drafts: an expired session looks the same
 * and must not lose any.
 */
export function buildDraftKey(owner: string, purpose: string): string {
  return `${owner}/${purpose}`;
}

/** Returns an empty draft with a new upload id. */
export function createDraft(key: string, formId: string, nowMs: number): RecordingDraft {
  return {
    key,
    uploadId: crypto.randomUUID(),
    formId,
    type: "",
    fileName: null,
    startedAtMs: nowMs,
    savedAtMs: nowMs,
    durationMs: 0,
    complete: false,
    pieces: 0,
    levels: [],
    texts: {},
  };
}

/** Returns the draft without its audio and with a new upload id, ready for another recording. */
export function withoutAudio(draft: RecordingDraft): RecordingDraft {
  return { ...createDraft(draft.key, draft.formId, Date.now()), texts: draft.texts };
}
