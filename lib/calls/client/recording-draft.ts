// What the browser keeps of a recording until the server has it.

/** A recording and the words that go with it, as they stand in this browser. */
export interface RecordingDraft {
  /** Whose it is and for what: draftName(). */
  readonly key: string;
  /** Under this id the server gets it, so that a reload goes on with the same upload. */
  readonly uploadId: string;
  /** The id that the form sends: sent again after a lost answer it is still the same call. "" where the form has none. */
  readonly formId: string;
  /** The container and codec as the browser labelled it; "" as long as there is no audio. */
  readonly type: string;
  /** The name of a chosen file; null for a recording. */
  readonly fileName: string | null;
  /** When recording began, milliseconds since 1970. */
  readonly startedAtMs: number;
  /** When anything of this was last kept. */
  readonly savedAtMs: number;
  /** Of the audio, without pauses. */
  readonly durationMs: number;
  /** False while it is recorded: a draft that is found so was cut off. */
  readonly complete: boolean;
  /** How many pieces of audio are kept. */
  readonly pieces: number;
  /** The loudest of each tenth of a second, 0–100. */
  readonly levels: readonly number[];
  /** The fields of the form by name. */
  readonly texts: Readonly<Record<string, string>>;
}

/** Recordings that nobody sent go after two weeks: a voice should not lie about on a computer for ever. */
export const DRAFT_TTL_DAYS = 14;

/**
 * The key of a draft. `owner` is an opaque text for the member: on a computer that several people use, whoever logs in finds
 * their own drafts only. Logging out does not remove them: a session that ends before the recording is sent must lose nothing,
 * and from here that looks the same. What bounds it is DRAFT_DAYS, and "Throw it away".
 */
export function buildDraftKey(owner: string, purpose: string): string {
  return `${owner}/${purpose}`;
}

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

/** The same without its audio, ready for another recording: that one gets an upload of its own. */
export function withoutAudio(draft: RecordingDraft): RecordingDraft {
  return { ...createDraft(draft.key, draft.formId, Date.now()), texts: draft.texts };
}
