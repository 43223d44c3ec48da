// Saves the draft of one form in the browser: queues writes and reports a storage failure.

import { clearBackup, loadBackup, saveBackup } from "./draft-backup.ts";
import { type DraftStore, openDraftStore } from "./draft-store.ts";
import {
  type DraftTexts,
  type RecordingDraft,
  createDraft,
  withoutAudio,
} from "./recording-draft.ts";

interface Chunk {
  readonly number: number;
  readonly audio: Blob;
}

export class DraftRepository {
  readonly #store: DraftStore;
  readonly #onStorageFailed: () => void;
  #draft: RecordingDraft;
  /** Chunks of the current recording that no save has stored yet. */
  #unstored: Chunk[] = [];
  #queue: Promise<void> = Promise.resolve();
  #hasFailed = false;

  /**
   * Opens the draft stored under `key`, or creates one. `onStorageFailed` is called at most once.
   */
  static async open(
    key: string,
    newFormId: string,
    onStorageFailed: () => void,
    openedStore?: DraftStore,
  ): Promise<{ repository: DraftRepository; audio: Blob | null; wasRestored: boolean }> {
    const store = openedStore ?? (await openDraftStore());
    const stored = await store.find(key).catch(() => null);
    const audio = stored && (await store.readAudio(stored).catch(() => null));
    const isIncomplete = stored && !audio && stored.pieces > 0; // the browser evicted the audio
    const draft = stored
      ? isIncomplete
        ? withoutAudio(stored)
        : stored
      : createDraft(key, newFormId, Date.now());
    const repository = new DraftRepository(store, draft, onStorageFailed);
    if (!store.isPersistent) repository.#fail();
    const texts = loadBackup(key, stored?.savedAtMs ?? 0, Date.now());
    if (texts) void repository.updateTexts(texts);
    return { repository, audio, wasRestored: stored !== null || texts !== null };
  }

  private constructor(store: DraftStore, draft: RecordingDraft, onStorageFailed: () => void) {
    this.#store = store;
    this.#draft = draft;
    this.#onStorageFailed = onStorageFailed;
  }

  get draft(): RecordingDraft {
    return this.#draft;
  }

  /**
   * Resolves once the changes are stored, or storage has failed. The next update stores the chunks
   * of a failed one, too, since a recording with a gap doesn't play.
   */
  update(changes: Partial<RecordingDraft>): Promise<void> {
    this.#draft = { ...this.#draft, ...changes, savedAtMs: Date.now() };
    const draft = this.#draft;
    const unstored = this.#unstored;
    return this.#write(async () => {
      const chunks = await Promise.all(
        unstored.map(async ({ number, audio }) => ({ number, bytes: await audio.arrayBuffer() })),
      );
      await this.#store.save(draft, chunks);
      unstored.splice(0, chunks.length);
    });
  }

  /** Stores the texts so that they survive even if the page unloads immediately. */
  updateTexts(texts: DraftTexts): Promise<void> {
    const draft = { ...this.#draft, texts, savedAtMs: Date.now() };
    this.#draft = draft;
    saveBackup(draft);
    return this.#write(async () => {
      await this.#store.save(draft); // without the chunks, which may exceed the quota
      // The backup stays if the store keeps nothing, or if newer texts are queued.
      if (this.#store.isPersistent && this.#draft.texts === texts) clearBackup(draft.key);
    });
  }

  appendChunk(audio: Blob, changes: Partial<RecordingDraft>): Promise<void> {
    const number = this.#draft.pieces;
    this.#unstored.push({ number, audio });
    return this.update({ ...changes, pieces: number + 1 });
  }

  /** Removes the audio and keeps the texts. */
  removeAudio(): Promise<void> {
    this.#draft = withoutAudio(this.#draft);
    this.#unstored = [];
    const draft = this.#draft;
    return this.#write(async () => {
      await this.#store.removeAudio(draft.key);
      await this.#store.save(draft);
    });
  }

  /** Removes everything and starts a new draft. */
  async reset(newFormId: string): Promise<void> {
    const { key } = this.#draft;
    this.#draft = createDraft(key, newFormId, Date.now());
    this.#unstored = [];
    clearBackup(key);
    await this.#write(() => this.#store.remove(key));
  }

  /** Resolves once all changes so far are stored. */
  flush(): Promise<void> {
    return this.#queue;
  }

  /** Closes the store after the queued writes. */
  async close(): Promise<void> {
    await this.#queue;
    this.#store.close();
  }

  #write(work: () => Promise<void>): Promise<void> {
    this.#queue = this.#queue.then(async () => {
      try {
        await work();
      } catch {
        this.#fail(); // memory still holds the recording
      }
    });
    return this.#queue;
  }

  #fail(): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    this.#onStorageFailed();
  }
}
