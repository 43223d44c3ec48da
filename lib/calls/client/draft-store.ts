// Stores drafts in IndexedDB, or nowhere if it is unavailable. Every wait has a timeout.

import { DRAFT_TTL_MS, type RecordingDraft } from "./recording-draft.ts";

const DATABASE_NAME = "lectern-drafts";
const TIMEOUT_MS = 5_000;
const DRAFT_STORE = "drafts";
const CHUNK_STORE = "pieces";

interface StoredChunk {
  readonly number: number;
  readonly bytes: ArrayBuffer;
}

export interface DraftStore {
  /** False if drafts are lost when the tab closes. */
  readonly isPersistent: boolean;
  find(key: string): Promise<RecordingDraft | null>;
  /** Returns the audio of the draft as one Blob, or null. */
  readAudio(draft: RecordingDraft): Promise<Blob | null>;
  /** Stores the draft and chunks of its audio. Throws, and stores neither, if storage fails. */
  save(draft: RecordingDraft, chunks?: readonly StoredChunk[]): Promise<void>;
  /** Removes all audio under the key, including that of earlier uploads. */
  removeAudio(key: string): Promise<void>;
  remove(key: string): Promise<void>;
  /** Removes the drafts of a form that has been submitted. */
  removeSent(formId: string): Promise<void>;
  close(): void;
}

function awaitRequest<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("The IndexedDB request failed."));
  });
}

function withTimeout<T>(promise: Promise<T>): Promise<T> {
  return Promise.race([
    promise,
    new Promise<never>((_, reject) =>
      setTimeout(() => reject(new Error("IndexedDB does not respond.")), TIMEOUT_MS),
    ),
  ]);
}

/**
 * Returns the key range of a draft's chunks. IndexedDB sorts an array after its prefixes, and
 * arrays after numbers.
 */
const chunkRange = (key: string) => IDBKeyRange.bound([key], [key, []]);

async function openDatabase(): Promise<IDBDatabase> {
  const request = indexedDB.open(DATABASE_NAME, 1);
  request.onupgradeneeded = () => {
    request.result.createObjectStore(DRAFT_STORE, { keyPath: "key" });
    request.result.createObjectStore(CHUNK_STORE);
  };
  const database = await awaitRequest(request);
  // Lets another tab upgrade the schema.
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
    work: (drafts: IDBObjectStore, chunks: IDBObjectStore) => Promise<T> | T,
  ): Promise<T> {
    const transaction = this.#database.transaction([DRAFT_STORE, CHUNK_STORE], mode);
    const done = new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onabort = () =>
        reject(transaction.error ?? new Error("The IndexedDB transaction was aborted."));
    });
    done.catch(() => {}); // handled below, unless `work` fails first
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
    return this.#run("readonly", async (_, chunks) => {
      const parts = (await awaitRequest(chunks.getAll(chunkRange(draft.key)))) as ArrayBuffer[];
      return parts.length > 0 ? new Blob(parts, { type: draft.type }) : null;
    });
  }

  save(draft: RecordingDraft, newChunks: readonly StoredChunk[] = []) {
    return this.#run("readwrite", (drafts, chunks) => {
      drafts.put(draft);
      // Chunks are ArrayBuffers, since Safari loses Blobs in private windows.
      for (const { number, bytes } of newChunks) chunks.put(bytes, [draft.key, number]);
      // An explicit commit usually survives an immediate unload of the page.
      drafts.transaction.commit?.();
    });
  }

  removeAudio(key: string) {
    return this.#run("readwrite", (_, chunks) => void chunks.delete(chunkRange(key)));
  }

  remove(key: string) {
    return this.#run("readwrite", (drafts, chunks) => {
      drafts.delete(key);
      chunks.delete(chunkRange(key));
    });
  }

  #removeWhere(matches: (draft: RecordingDraft) => boolean) {
    return this.#run("readwrite", async (drafts, chunks) => {
      for (const draft of (await awaitRequest(drafts.getAll())) as RecordingDraft[]) {
        if (!matches(draft)) continue;
        drafts.delete(draft.key);
        chunks.delete(chunkRange(draft.key));
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

/**
 * Stores nothing (null object pattern). The recorder keeps the audio in memory while the tab is
 * open.
 */
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

/**
 * Opens IndexedDB and removes expired drafts. Falls back to the null store if IndexedDB is missing,
 * blocked or unresponsive.
 */
export async function openDraftStore(): Promise<DraftStore> {
  try {
    const store = new IndexedDbDraftStore(await withTimeout(openDatabase()));
    await store.removeExpired(Date.now() - DRAFT_TTL_MS);
    return store;
  } catch {
    return new NullDraftStore();
  }
}
