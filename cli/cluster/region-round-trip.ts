// Estimates round-trip times between regions, rounded from values that network operators publish.
// Good for ranking and magnitude, not as measurements.

const ROUND_TRIP_MS: Readonly<Record<string, number>> = {
  "ams-dfw": 110,
  "dfw-syd": 180,
  "dfw-maa": 235,
  "dfw-gru": 145,
  "dfw-hkg": 165,
  "ams-syd": 255,
  "ams-maa": 150,
  "ams-gru": 190,
  "ams-hkg": 190,
  "maa-syd": 150,
  "gru-syd": 290,
  "hkg-syd": 130,
  "gru-maa": 310,
  "hkg-maa": 80,
  "gru-hkg": 310,
};
/** For regions missing from the table. */
const UNKNOWN_MS = 150;
const SAME_REGION_MS = 1;

/** Returns the round-trip time between two regions in milliseconds. */
export function roundTripMs(from: string, to: string): number {
  if (from === to) return SAME_REGION_MS;
  return ROUND_TRIP_MS[[from, to].sort().join("-")] ?? UNKNOWN_MS;
}
