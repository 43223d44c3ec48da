// Drafts in the browser's database, or in memory where the browser refuses one. Every wait has an end.

import { DRAFT_DAYS, type Draft } from "./draft.ts";

const NAME = "lectern-drafts";
const WAIT_MS = 5_000;
const DRAFTS = "drafts";
const PIECES = "pieces";

export interface DraftStore {
  /** False when drafts live in memory only: they go with the tab. */
  readonly lasting: boolean;
  find(key: string): Promise<Draft | null>;
  /** The audio of the draft as one piece; null when there is none. */
  audioOf(draft: Draft): Promise<Blob | null>;
  /** Keeps the draft, with a piece of its audio or without. Throws when the browser can't. */
  keep(draft: Draft, piece?: { number: number; bytes: ArrayBuffer }): Promise<void>;
  /** Removes the audio that is kept under the key, whatever upload it belongs to. */
  removeAudio(key: string): Promise<void>;
  remove(key: string): Promise<void>;
  /** Removes every draft of a form that was sent. */
  removeSent(formId: string): Promise<void>;
  close(): void;
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("The browser's database refused."));
  });
}

function inTime<T>(promise: Promise<T>): Promise<T> {
  return Promise.race([
    promise,
    new Promise<never>((_, reject) =>
      setTimeout(() => reject(new Error("The browser's database does not answer.")), WAIT_MS),
    ),
  ]);
}

/** All pieces of a draft, in order: arrays sort after the shorter ones they begin with. */
const piecesOf = (key: string) => IDBKeyRange.bound([key], [key, []]);

async function open(): Promise<IDBDatabase> {
  const request = indexedDB.open(NAME, 1);
  request.onupgradeneeded = () => {
    request.result.createObjectStore(DRAFTS, { keyPath: "key" });
    request.result.createObjectStore(PIECES);
  };
  const database = await settled(request);
  // Another tab wants a newer form of the database: don't stand in its way.
  database.onversionchange = () => database.close();
  return database;
}

class LastingStore implements DraftStore {
  readonly lasting = true;
  readonly #database: IDBDatabase;

  constructor(database: IDBDatabase) {
    this.#database = database;
  }

  async #run<T>(
    mode: IDBTransactionMode,
    work: (drafts: IDBObjectStore, pieces: IDBObjectStore) => Promise<T> | T,
  ): Promise<T> {
    const transaction = this.#database.transaction([DRAFTS, PIECES], mode);
    const done = new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onabort = () =>
        reject(transaction.error ?? new Error("The browser's database took nothing."));
    });
    done.catch(() => {}); // also seen by the await below, unless the work fails first
    const result = await inTime(
      Promise.resolve(work(transaction.objectStore(DRAFTS), transaction.objectStore(PIECES))),
    );
    await inTime(done);
    return result;
  }

  find(key: string) {
    return this.#run(
      "readonly",
      async (drafts) => ((await settled(drafts.get(key))) as Draft | undefined) ?? null,
    );
  }

  audioOf(draft: Draft) {
    return this.#run("readonly", async (_, pieces) => {
      const all = (await settled(pieces.getAll(piecesOf(draft.key)))) as ArrayBuffer[];
      return all.length > 0 ? new Blob(all, { type: draft.type }) : null;
    });
  }

  keep(draft: Draft, piece?: { number: number; bytes: ArrayBuffer }) {
    return this.#run("readwrite", (drafts, pieces) => {
      drafts.put(draft);
      // Bytes, not Blobs: Safari forgets Blobs in private windows.
      if (piece) pieces.put(piece.bytes, [draft.key, piece.number]);
      // Told to commit, the browser mostly does it even if the page is left now; else it waits for the page, and drops what a page that is gone left open.
      drafts.transaction.commit?.();
    });
  }

  removeAudio(key: string) {
    return this.#run("readwrite", (_, pieces) => void pieces.delete(piecesOf(key)));
  }

  remove(key: string) {
    return this.#run("readwrite", (drafts, pieces) => {
      drafts.delete(key);
      pieces.delete(piecesOf(key));
    });
  }

  #removeWhere(isOver: (draft: Draft) => boolean) {
    return this.#run("readwrite", async (drafts, pieces) => {
      for (const draft of (await settled(drafts.getAll())) as Draft[]) {
        if (!isOver(draft)) continue;
        drafts.delete(draft.key);
        pieces.delete(piecesOf(draft.key));
      }
    });
  }

  removeSent(formId: string) {
    return this.#removeWhere((draft) => draft.formId === formId);
  }

  removeOld(beforeMs: number) {
    return this.#removeWhere((draft) => draft.savedAtMs < beforeMs);
  }

  close() {
    this.#database.close();
  }
}

/** Keeps drafts as long as the tab lives. The audio itself is held by whoever records it. */
class PassingStore implements DraftStore {
  readonly lasting = false;
  async find() {
    return null;
  }
  async audioOf() {
    return null;
  }
  async keep() {}
  async removeAudio() {}
  async remove() {}
  async removeSent() {}
  close() {}
}

/** The store of this browser; one in memory where it has no database, refuses it or does not answer. Removes drafts that are too old. */
export async function openDraftStore(): Promise<DraftStore> {
  try {
    const store = new LastingStore(await inTime(open()));
    await store.removeOld(Date.now() - DRAFT_DAYS * 86_400_000);
    return store;
  } catch {
    return new PassingStore();
  }
}
