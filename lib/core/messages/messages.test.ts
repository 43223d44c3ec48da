import { expect, test } from "vitest";
import { de } from "./de.ts";
import { en } from "./en.ts";
import { es } from "./es.ts";
import { findMessages } from "./find-messages.ts";

test("a language is found by its tag, whatever its region", () => {
  expect(findMessages("de-AT")).toBe(de);
  expect(findMessages("es-419")).toBe(es);
  expect(findMessages("en-GB")).toBe(en);
  expect(findMessages("ar")).toBeNull();
});

test("dates, numbers and counts are those of the language", () => {
  expect([en, de, es].map(({ date }) => date("2026-11-03"))).toEqual([
    "November 3rd, 2026",
    "3. November 2026",
    "3 de noviembre de 2026",
  ]);
  expect(de.decimal(1.5)).toBe("1,50");
  expect(de.readToTheEnd(1)).toBe("Einmal zu Ende gelesen.");
  expect(en.readToTheEnd(0)).toBe("No one has finished it yet.");
  expect(es.activeMembers(2)).toBe("2 miembros activos");
  expect(en.teamsTied(["Red", "Blue", "Yellow"], "1.00")).toBe(
    "Red, Blue and Yellow are tied at 1.00 reads per active member.",
  );
});

test("every page of the site has a title in every language", () => {
  for (const messages of [de, es])
    expect(Object.keys(messages.pages)).toEqual(Object.keys(en.pages));
});
