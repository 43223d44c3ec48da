import { expect, test } from "vitest";
import { DraftRepository } from "./draft-repository.ts";
import type { DraftStore } from "./draft-store.ts";

/** A store that records the chunks of each save, and rejects the saves with these indexes. */
function flakyStore(failing: readonly number[]) {
  const saves: number[][] = [];
  const store: DraftStore = {
    isPersistent: true,
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
