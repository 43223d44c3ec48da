import { expect, test } from "vitest";
import {
  MAP_HEIGHT,
  MAP_WIDTH,
  arcPath,
  findCity,
  findRegionPoint,
  placeLabels,
} from "./regions.ts";

const ALL =
  "ams arn atl bog bom bos cdg den dfw ewr eze fra gdl gig gru hkg iad jnb lax lhr maa mad mia nrt ord otp phx qro scl sea sin sjc syd waw yul yyz".split(
    " ",
  );

test("every region has a city and is on the map", () => {
  for (const region of ALL) {
    expect(findCity(region), region).toMatch(/^\p{Lu}/u);
    const { x, y } = findRegionPoint(region)!;
    expect(x > 0 && x < MAP_WIDTH && y > 0 && y < MAP_HEIGHT, region).toBe(true);
  }
});

test("an unknown region has no point", () => {
  for (const region of ["xxx", "", null, "__proto__", "toString"])
    expect([findCity(region), findRegionPoint(region)]).toEqual([null, null]);
});

test("labels of seven regions cover nothing", () => {
  const points = ["dfw", "ams", "maa", "syd", "gru", "hkg"].map((region) =>
    findRegionPoint(region)!,
  );
  expect(
    placeLabels(points, points[0]).map(({ anchor }) => anchor)[0],
    "where the lines begin",
  ).toBe("end");
  // Sydney's would leave the map on the right.
  expect(placeLabels(points).map(({ anchor }) => anchor)).toEqual([
    "start",
    "start",
    "start",
    "end",
    "start",
    "start",
  ]);
});

test("close places get labels on different sides", () => {
  const [ams, fra, lhr] = placeLabels(
    ["ams", "fra", "lhr"].map((region) => findRegionPoint(region)!),
  );
  expect(new Set([ams, fra, lhr].map((label) => JSON.stringify(label))).size).toBe(3);
  expect(new Set([ams, fra, lhr].map((label) => label!.anchor)).size).toBeGreaterThan(1);
});

test("a line stays on the map", () => {
  for (const region of ALL) {
    const numbers = arcPath(findRegionPoint("dfw")!, findRegionPoint(region)!)
      .match(/-?[\d.]+/g)!
      .map(Number);
    expect(
      numbers.every((value) => value >= 0 && value <= MAP_WIDTH),
      region,
    ).toBe(true);
  }
});
