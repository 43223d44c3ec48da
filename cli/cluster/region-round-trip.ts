// How far regions are from one another. Round trips between data centres of these cities as networks publish them, rounded:
// good for an order and a magnitude, not for a measurement.

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
/** Between regions that the table doesn't know. */
const UNKNOWN_MS = 150;
/** Between two machines of one region. */
const SAME_REGION_MS = 1;

/** The round trip between two regions, in milliseconds. */
export function roundTripMs(from: string, to: string): number {
  if (from === to) return SAME_REGION_MS;
  return ROUND_TRIP_MS[[from, to].sort().join("-")] ?? UNKNOWN_MS;
}
