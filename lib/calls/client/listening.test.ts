import { afterEach, expect, test } from "vitest";
import {
  type Program,
  type Track,
  findPlace,
  readListening,
  rememberListening,
  rememberPlace,
} from "./listening.ts";
import { LISTENING_KEY, PLACES_KEY } from "./storage-keys.ts";

/** Imitates the storage of browsers, which Node doesn't have. */
function createStorage() {
  const values = new Map<string, string>();
  return {
    getItem: (key: string) => values.get(key) ?? null,
    setItem: (key: string, value: string) => void values.set(key, value),
    removeItem: (key: string) => void values.delete(key),
  };
}

function installStorage() {
  const storage = { localStorage: createStorage(), sessionStorage: createStorage() };
  for (const [name, value] of Object.entries(storage))
    Object.defineProperty(globalThis, name, { value, configurable: true });
  return storage;
}

const TRACK: Track = { src: "/a.mp3", label: "The answer", durationMs: null };
const PROGRAM: Program = { title: "One", href: "/calls/1-one", image: "/x.png", tracks: [TRACK] };

afterEach(() => {
  for (const name of ["localStorage", "sessionStorage"]) Reflect.deleteProperty(globalThis, name);
});

test("a place is remembered for each recording, until the end", () => {
  installStorage();
  rememberPlace("/a.mp3", 12.5);
  rememberPlace("/b.mp3", 3);
  rememberPlace("/a.mp3", 20);
  expect([findPlace("/a.mp3"), findPlace("/b.mp3"), findPlace("/c.mp3")]).toEqual([20, 3, 0]);
  rememberPlace("/a.mp3", 0);
  expect([findPlace("/a.mp3"), findPlace("/b.mp3")]).toEqual([0, 3]);
});

test("the hundred most recent places are kept", () => {
  installStorage();
  for (let i = 0; i < 100; i++) rememberPlace(`/${i}.mp3`, 1 + i);
  rememberPlace("/0.mp3", 5);
  rememberPlace("/new.mp3", 7);
  expect(["/0.mp3", "/1.mp3", "/2.mp3", "/new.mp3"].map(findPlace)).toEqual([5, 0, 3, 7]);
});

test.each(["no JSON", "null", "7", '{"/a.mp3":"12"}', '{"/a.mp3":-1}', '{"/a.mp3":1e999}'])(
  "a damaged store (%s) has no place, and takes the next one",
  (stored) => {
    installStorage().localStorage.setItem(PLACES_KEY, stored);
    expect(findPlace("/a.mp3")).toBe(0);
    rememberPlace("/a.mp3", 4);
    expect(findPlace("/a.mp3")).toBe(4);
  },
);

test("without storage, nothing is remembered and nothing fails", () => {
  rememberPlace("/a.mp3", 4);
  rememberListening(null);
  expect([findPlace("/a.mp3"), readListening()]).toEqual([0, null]);
});

test("what the tab plays is forgotten once it is closed", () => {
  installStorage();
  rememberListening({ program: PROGRAM, index: 0, isPlaying: true });
  expect(readListening()).toMatchObject({ program: { title: "One" }, isPlaying: true });
  rememberListening(null);
  expect(readListening()).toBeNull();
});

// Otherwise, the player would throw on each page until the tab is closed.
test.each([
  ["a number", 7],
  ["nothing", {}],
  ["no program", { index: 0, isPlaying: true }],
  ["no tracks", { program: { ...PROGRAM, tracks: null }, index: 0 }],
  ["an index beyond the tracks", { program: PROGRAM, index: 1 }],
  ["an index that is a name", { program: PROGRAM, index: "length" }],
  ["a track without a label", { program: { ...PROGRAM, tracks: [{ src: "/a.mp3" }] }, index: 0 }],
  ["a script", { program: { ...PROGRAM, href: "javascript:alert(1)" }, index: 0 }],
  ["another site", { program: { ...PROGRAM, href: "//evil.example/" }, index: 0 }],
  [
    "another site’s audio",
    { program: { ...PROGRAM, tracks: [{ ...TRACK, src: "/\\evil" }] }, index: 0 },
  ],
  ["another site’s image", { program: { ...PROGRAM, image: "https://evil.example" }, index: 0 }],
])("a tab that stored %s plays nothing, and forgets it", (_, stored) => {
  const { sessionStorage } = installStorage();
  sessionStorage.setItem(LISTENING_KEY, JSON.stringify(stored));
  expect(readListening()).toBeNull();
  expect(sessionStorage.getItem(LISTENING_KEY)).toBeNull();
});
