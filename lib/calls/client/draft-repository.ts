// Keeps the draft of one form up to date in the browser: writes in order, one after the other, and says when it can't.

import { type RecordingDraft, createDraft, withoutAudio } from "./recording-draft.ts";
import { type DraftStore, openDraftStore } from "./draft-store.ts";
import { type DraftTexts, clearBackup, loadBackup, saveBackup } from "./draft-backup.ts";

export class DraftRepository {
  readonly #store: DraftStore;
  readonly #onLost: () => void;
  #draft: RecordingDraft;
  #queue: Promise<void> = Promise.resolve();
  #lost: boolean;

  /** The kept draft under `key` or a new one. `onLost` is called once when this browser does not keep it (any more). */
  static async open(
    key: string,
    freshFormId: string,
    onLost: () => void,
  ): Promise<{ keeper: DraftRepository; audio: Blob | null; isFound: boolean }> {
    const store = await openDraftStore();
    // Unreadable: begun anew.
    const found = await store.find(key).catch(() => null);
    const audio = found && (await store.readAudio(found).catch(() => null));
    // A draft without its audio (the browser cleared some) is only its words.
    const draft = found
      ? audio || found.pieces === 0
        ? found
        : withoutAudio(found)
      : createDraft(key, freshFormId, Date.now());
    const keeper = new DraftRepository(store, draft, onLost);
    if (!store.isPersistent) keeper.#lose();
    const texts = loadBackup(key, found?.savedAtMs ?? 0, Date.now());
    if (texts) void keeper.updateTexts(texts);
    return { keeper, audio, isFound: found !== null || texts !== null };
  }

  private constructor(store: DraftStore, draft: RecordingDraft, onLost: () => void) {
    this.#store = store;
    this.#draft = draft;
    this.#onLost = onLost;
    this.#lost = false;
  }

  get draft(): RecordingDraft {
    return this.#draft;
  }

  /** Changes what is kept. Resolves when it is. */
  update(changes: Partial<RecordingDraft>): Promise<void> {
    this.#draft = { ...this.#draft, ...changes, savedAtMs: Date.now() };
    const draft = this.#draft;
    return this.#write(() => this.#store.save(draft));
  }

  /** Changes the words, so that they are there even if the page is left at once. */
  async updateTexts(texts: DraftTexts): Promise<void> {
    saveBackup(this.#draft.key, texts, Date.now());
    await this.update({ texts });
    // Not newer ones, which are still being written.
    if (this.#draft.texts === texts) clearBackup(this.#draft.key);
  }

  /** Adds a piece of audio, with what changes by it. */
  appendChunk(piece: Blob, changes: Partial<RecordingDraft>): Promise<void> {
    const number = this.#draft.pieces;
    this.#draft = { ...this.#draft, ...changes, pieces: number + 1, savedAtMs: Date.now() };
    const draft = this.#draft;
    return this.#write(async () =>
      this.#store.save(draft, { number, bytes: await piece.arrayBuffer() }),
    );
  }

  /** Forgets the audio, keeps the words. */
  removeAudio(): Promise<void> {
    this.#draft = withoutAudio(this.#draft);
    const draft = this.#draft;
    return this.#write(async () => {
      await this.#store.removeAudio(draft.key);
      await this.#store.save(draft);
    });
  }

  /** Forgets everything and begins a new draft. */
  async reset(freshFormId: string): Promise<void> {
    const { key } = this.#draft;
    this.#draft = createDraft(key, freshFormId, Date.now());
    clearBackup(key);
    await this.#write(() => this.#store.remove(key));
  }

  /** Resolves when what was changed so far is written. */
  flush(): Promise<void> {
    return this.#queue;
  }

  /** Ends after what is being written. */
  async close(): Promise<void> {
    await this.#queue;
    this.#store.close();
  }

  #write(work: () => Promise<void>): Promise<void> {
    this.#queue = this.#queue.then(async () => {
      try {
        await work();
      } catch {
        this.#lose(); // full, or gone: the recording itself is in memory as well
      }
    });
    return this.#queue;
  }

  #lose(): void {
    if (this.#lost) return;
    this.#lost = true;
    this.#onLost();
  }
}
