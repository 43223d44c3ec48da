// Drafts in the browser's database, or in memory where the browser refuses one. Every wait has an end.

import { DRAFT_TTL_DAYS, type RecordingDraft } from "./recording-draft.ts";

const DATABASE_NAME = "lectern-drafts";
const TIMEOUT_MS = 5_000;
const DRAFT_STORE = "drafts";
const CHUNK_STORE = "pieces";

export interface DraftStore {
  /** False when drafts live in memory only: they go with the tab. */
  readonly isPersistent: boolean;
  find(key: string): Promise<RecordingDraft | null>;
  /** The audio of the draft as one piece; null when there is none. */
  readAudio(draft: RecordingDraft): Promise<Blob | null>;
  /** Keeps the draft, with a piece of its audio or without. Throws when the browser can't. */
  save(draft: RecordingDraft, piece?: { number: number; bytes: ArrayBuffer }): Promise<void>;
  /** Removes the audio that is kept under the key, whatever upload it belongs to. */
  removeAudio(key: string): Promise<void>;
  remove(key: string): Promise<void>;
  /** Removes every draft of a form that was sent. */
  removeSent(formId: string): Promise<void>;
  close(): void;
}

function awaitRequest<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("The browser's database refused."));
  });
}

function withTimeout<T>(promise: Promise<T>): Promise<T> {
  return Promise.race([
    promise,
    new Promise<never>((_, reject) =>
      setTimeout(() => reject(new Error("The browser's database does not answer.")), TIMEOUT_MS),
    ),
  ]);
}

/** All pieces of a draft, in order: arrays sort after the shorter ones they begin with. */
const chunkRange = (key: string) => IDBKeyRange.bound([key], [key, []]);

async function openDatabase(): Promise<IDBDatabase> {
  const request = indexedDB.open(DATABASE_NAME, 1);
  request.onupgradeneeded = () => {
    request.result.createObjectStore(DRAFT_STORE, { keyPath: "key" });
    request.result.createObjectStore(CHUNK_STORE);
  };
  const database = await awaitRequest(request);
  // Another tab wants a newer form of the database: don't stand in its way.
  database.onversionchange = () => database.close();
  return database;
}

class IndexedDbDraftStore implements DraftStore {
  readonly isPersistent = true;
  readonly #database: IDBDatabase;

  constructor(database: IDBDatabase) {
    this.#database = database;
  }

  async #run<T>(
    mode: IDBTransactionMode,
    work: (drafts: IDBObjectStore, pieces: IDBObjectStore) => Promise<T> | T,
  ): Promise<T> {
    const transaction = this.#database.transaction([DRAFT_STORE, CHUNK_STORE], mode);
    const done = new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onabort = () =>
        reject(transaction.error ?? new Error("The browser's database took nothing."));
    });
    done.catch(() => {}); // also seen by the await below, unless the work fails first
    const result = await withTimeout(
      Promise.resolve(
        work(transaction.objectStore(DRAFT_STORE), transaction.objectStore(CHUNK_STORE)),
      ),
    );
    await withTimeout(done);
    return result;
  }

  find(key: string) {
    return this.#run(
      "readonly",
      async (drafts) =>
        ((await awaitRequest(drafts.get(key))) as RecordingDraft | undefined) ?? null,
    );
  }

  readAudio(draft: RecordingDraft) {
    return this.#run("readonly", async (_, pieces) => {
      const all = (await awaitRequest(pieces.getAll(chunkRange(draft.key)))) as ArrayBuffer[];
      return all.length > 0 ? new Blob(all, { type: draft.type }) : null;
    });
  }

  save(draft: RecordingDraft, piece?: { number: number; bytes: ArrayBuffer }) {
    return this.#run("readwrite", (drafts, pieces) => {
      drafts.put(draft);
      // Bytes, not Blobs: Safari forgets Blobs in private windows.
      if (piece) pieces.put(piece.bytes, [draft.key, piece.number]);
      // Told to commit, the browser mostly does it even if the page is left now; else it waits for the page, and drops what a page that is gone left open.
      drafts.transaction.commit?.();
    });
  }

  removeAudio(key: string) {
    return this.#run("readwrite", (_, pieces) => void pieces.delete(chunkRange(key)));
  }

  remove(key: string) {
    return this.#run("readwrite", (drafts, pieces) => {
      drafts.delete(key);
      pieces.delete(chunkRange(key));
    });
  }

  #removeWhere(isOver: (draft: RecordingDraft) => boolean) {
    return this.#run("readwrite", async (drafts, pieces) => {
      for (const draft of (await awaitRequest(drafts.getAll())) as RecordingDraft[]) {
        if (!isOver(draft)) continue;
        drafts.delete(draft.key);
        pieces.delete(chunkRange(draft.key));
      }
    });
  }

  removeSent(formId: string) {
    return this.#removeWhere((draft) => draft.formId === formId);
  }

  removeExpired(beforeMs: number) {
    return this.#removeWhere((draft) => draft.savedAtMs < beforeMs);
  }

  close() {
    this.#database.close();
  }
}

/** Keeps drafts as long as the tab lives. The audio itself is held by whoever records it. */
class NullDraftStore implements DraftStore {
  readonly isPersistent = false;
  async find() {
    return null;
  }
  async readAudio() {
    return null;
  }
  async save() {}
  async removeAudio() {}
  async remove() {}
  async removeSent() {}
  close() {}
}

/** The store of this browser; one in memory where it has no database, refuses it or does not answer. Removes drafts that are too old. */
export async function openDraftStore(): Promise<DraftStore> {
  try {
    const store = new IndexedDbDraftStore(await withTimeout(openDatabase()));
    await store.removeExpired(Date.now() - DRAFT_TTL_DAYS * 86_400_000);
    return store;
  } catch {
    return new NullDraftStore();
  }
}
