import { afterEach, expect, test, vi } from "vitest";
import { clearSentBackups } from "./draft-backup.ts";
import { DraftRepository } from "./draft-repository.ts";
import type { DraftStore } from "./draft-store.ts";

/** A store that records the chunks of each save, and rejects the saves with these indexes. */
function flakyStore(failing: readonly number[], isPersistent = true) {
  const saves: number[][] = [];
  const store: DraftStore = {
    isPersistent,
    find: async () => null,
    readAudio: async () => null,
    async save(_, chunks = []) {
      saves.push(chunks.map(({ number }) => number));
      if (failing.includes(saves.length - 1)) throw new Error("The quota is exceeded.");
    },
    removeAudio: async () => {},
    remove: async () => {},
    removeSent: async () => {},
    close() {},
  };
  return { store, saves };
}

async function openDraft(failing: readonly number[]) {
  const { store, saves } = flakyStore(failing);
  const failures: string[] = [];
  const onFailed = () => void failures.push("storage-failed");
  const { repository } = await DraftRepository.open("me/call", "form", onFailed, store);
  return { repository, saves, failures };
}
const chunk = new Blob(["sound"]);

test("a chunk that could not be stored is stored with the next one, so that no gap remains", async () => {
  const { repository, saves, failures } = await openDraft([1]);
  await repository.appendChunk(chunk, {});
  await repository.appendChunk(chunk, {});
  await repository.appendChunk(chunk, {});
  await repository.appendChunk(chunk, {});
  expect(saves).toEqual([[0], [1], [1, 2], [3]]);
  expect(failures).toEqual(["storage-failed"]);
});

test("the end of a recording stores a last chunk that could not be stored", async () => {
  const { repository, saves } = await openDraft([1]);
  await repository.appendChunk(chunk, {});
  await repository.appendChunk(chunk, {});
  await repository.update({ complete: true });
  expect(saves).toEqual([[0], [1], [1]]);
});

test("texts are stored without the chunks that did not fit", async () => {
  const { repository, saves } = await openDraft([0]);
  await repository.appendChunk(chunk, {});
  await repository.updateTexts({ title: "Hello" });
  expect(saves).toEqual([[0], []]);
});

test("a removed recording's chunks are not stored, and the next one's are", async () => {
  const { repository, saves } = await openDraft([0]);
  await repository.appendChunk(chunk, {});
  void repository.appendChunk(chunk, {});
  void repository.removeAudio();
  await repository.appendChunk(chunk, {});
  expect(saves).toEqual([[0], [0, 1], [], [0]]);
});

/** Replaces localStorage, and returns its items. */
function stubLocalStorage(): Record<string, string> {
  const items: Record<string, string> = {};
  const methods = {
    getItem: (name: string) => items[name] ?? null,
    setItem: (name: string, value: string) => void (items[name] = value),
    removeItem: (name: string) => void delete items[name],
  };
  const storage = new Proxy(items, {
    get: (_, name) => methods[name as keyof typeof methods],
  });
  vi.stubGlobal("localStorage", storage);
  return items;
}
afterEach(() => void vi.unstubAllGlobals());

test.each([
  { failing: [], isPersistent: true, keepsBackup: false },
  { failing: [0], isPersistent: true, keepsBackup: true },
  { failing: [], isPersistent: false, keepsBackup: true },
])(
  "the backup of texts is removed only when the store has them (%o)",
  async ({ failing, isPersistent, keepsBackup }) => {
    const items = stubLocalStorage();
    const { store } = flakyStore(failing, isPersistent);
    const { repository } = await DraftRepository.open("me/call", "form", () => {}, store);
    await repository.updateTexts({ title: "Hello" });
    expect(Object.keys(items)).toHaveLength(keepsBackup ? 1 : 0);
    await repository.reset("form");
    expect(items).toEqual({});
  },
);

test("the backup of a sent form is not offered again", async () => {
  const items = stubLocalStorage();
  const { store } = flakyStore([], false);
  const open = async (key: string, formId: string) =>
    (await DraftRepository.open(key, formId, () => {}, store)).repository;
  await (await open("me/call", "sent")).updateTexts({ title: "Sent" });
  await (await open("me/answer", "open")).updateTexts({ title: "Open" });
  clearSentBackups("sent");
  expect((await open("me/call", "new")).draft.texts).toEqual({});
  expect((await open("me/answer", "new")).draft.texts).toEqual({ title: "Open" });
  expect(Object.keys(items)).toHaveLength(1);
});
