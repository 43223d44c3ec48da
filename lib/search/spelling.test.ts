import { expect, test } from "vitest";
import { seededRandom } from "#tests/support/random.ts";
import { buildTrigramQuery, isMisspelling, isOneEditApart } from "./spelling.ts";

/** The definition, letter by letter (optimal string alignment). */
function distance(a: string, b: string): number {
  const rows = Array.from({ length: a.length + 1 }, (_, i) =>
    Array.from({ length: b.length + 1 }, (_, j) => (i === 0 ? j : j === 0 ? i : 0)),
  );
  for (let i = 1; i <= a.length; i++)
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      rows[i]![j] = Math.min(
        rows[i - 1]![j]! + 1,
        rows[i]![j - 1]! + 1,
        rows[i - 1]![j - 1]! + cost,
      );
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        rows[i]![j] = Math.min(rows[i]![j]!, rows[i - 2]![j - 2]! + 1);
    }
  return rows[a.length]![b.length]!;
}

test("two words are one edit apart exactly if their distance is 1", () => {
  const random = seededRandom(53);
  const word = () =>
    Array.from({ length: Math.floor(random() * 6) }, () => "abc"[Math.floor(random() * 3)]).join(
      "",
    );
  for (let i = 0; i < 5_000; i++) {
    const [a, b] = [word(), word()];
    expect(isOneEditApart(a, b), `${a} ${b}`).toBe(distance(a, b) === 1);
  }
});

test("every misspelling by one letter shares a trigram with the word", () => {
  for (const word of ["lock", "queue", "replication"]) {
    const trigrams = new Set(buildTrigramQuery(word, false).split(" OR "));
    for (let i = 0; i < word.length; i++) {
      const [start, rest] = [word.slice(0, i), word.slice(i + 1)];
      for (const typo of [start + rest, `${start}z${rest}`, `${start}z${word.slice(i)}`])
        expect(
          buildTrigramQuery(typo, false)
            .split(" OR ")
            .some((trigram) => trigrams.has(trigram)),
          typo,
        ).toBe(true);
    }
  }
});

test("the last word may misspell the beginning of a longer one", () => {
  expect(isMisspelling("replciat", "replication", true)).toBe(true);
  expect(isMisspelling("replciat", "replication", false)).toBe(false);
  expect(isMisspelling("queu", "queue", false)).toBe(true);
  expect(isMisspelling("queue", "queue", true)).toBe(false);
  expect(isMisspelling("birds", "replication", true)).toBe(false);
});
