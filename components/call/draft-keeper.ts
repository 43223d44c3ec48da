// Keeps the draft of one form up to date in the browser: writes in order, one after the other, and says when it can't.

import { type Draft, emptyDraft, withoutAudio } from "./draft.ts";
import { type DraftStore, openDraftStore } from "./draft-store.ts";
import { type Texts, dropWords, heldWords, holdWords } from "./draft-words.ts";

export class DraftKeeper {
  readonly #store: DraftStore;
  readonly #onLost: () => void;
  #draft: Draft;
  #queue: Promise<void> = Promise.resolve();
  #lost: boolean;

  /** The kept draft under `key` or a new one. `onLost` is called once when this browser does not keep it (any more). */
  static async open(
    key: string,
    freshFormId: string,
    onLost: () => void,
  ): Promise<{ keeper: DraftKeeper; audio: Blob | null; isFound: boolean }> {
    const store = await openDraftStore();
    // Unreadable: begun anew.
    const found = await store.find(key).catch(() => null);
    const audio = found && (await store.audioOf(found).catch(() => null));
    // A draft without its audio (the browser cleared some) is only its words.
    const draft = found
      ? audio || found.pieces === 0
        ? found
        : withoutAudio(found)
      : emptyDraft(key, freshFormId, Date.now());
    const keeper = new DraftKeeper(store, draft, onLost);
    if (!store.lasting) keeper.#lose();
    const texts = heldWords(key, found?.savedAtMs ?? 0, Date.now());
    if (texts) void keeper.changeTexts(texts);
    return { keeper, audio, isFound: found !== null || texts !== null };
  }

  private constructor(store: DraftStore, draft: Draft, onLost: () => void) {
    this.#store = store;
    this.#draft = draft;
    this.#onLost = onLost;
    this.#lost = false;
  }

  get draft(): Draft {
    return this.#draft;
  }

  /** Changes what is kept. Resolves when it is. */
  change(changes: Partial<Draft>): Promise<void> {
    this.#draft = { ...this.#draft, ...changes, savedAtMs: Date.now() };
    const draft = this.#draft;
    return this.#write(() => this.#store.keep(draft));
  }

  /** Changes the words, so that they are there even if the page is left at once. */
  async changeTexts(texts: Texts): Promise<void> {
    holdWords(this.#draft.key, texts, Date.now());
    await this.change({ texts });
    // Not newer ones, which are still being written.
    if (this.#draft.texts === texts) dropWords(this.#draft.key);
  }

  /** Adds a piece of audio, with what changes by it. */
  add(piece: Blob, changes: Partial<Draft>): Promise<void> {
    const number = this.#draft.pieces;
    this.#draft = { ...this.#draft, ...changes, pieces: number + 1, savedAtMs: Date.now() };
    const draft = this.#draft;
    return this.#write(async () =>
      this.#store.keep(draft, { number, bytes: await piece.arrayBuffer() }),
    );
  }

  /** Forgets the audio, keeps the words. */
  dropAudio(): Promise<void> {
    this.#draft = withoutAudio(this.#draft);
    const draft = this.#draft;
    return this.#write(async () => {
      await this.#store.removeAudio(draft.key);
      await this.#store.keep(draft);
    });
  }

  /** Forgets everything and begins a new draft. */
  async remove(freshFormId: string): Promise<void> {
    const { key } = this.#draft;
    this.#draft = emptyDraft(key, freshFormId, Date.now());
    dropWords(key);
    await this.#write(() => this.#store.remove(key));
  }

  /** Resolves when what was changed so far is written. */
  settled(): Promise<void> {
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
