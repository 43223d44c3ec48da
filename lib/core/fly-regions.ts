// Maps Fly region codes to cities.

/** The city of each region, by its code (https://fly.io/docs/reference/regions/). */
const CITIES: Record<string, string> = {
  ams: "Amsterdam",
  arn: "Stockholm",
  atl: "Atlanta",
  bog: "Bogotá",
  bom: "Mumbai",
  bos: "Boston",
  cdg: "Paris",
  den: "Denver",
  dfw: "Dallas",
  ewr: "New York",
  eze: "Buenos Aires",
  fra: "Frankfurt",
  gdl: "Guadalajara",
  gig: "Rio de Janeiro",
  gru: "São Paulo",
  hkg: "Hong Kong",
  iad: "Ashburn, Virginia",
  jnb: "Johannesburg",
  lax: "Los Angeles",
  lhr: "London",
  maa: "Chennai",
  mad: "Madrid",
  mia: "Miami",
  nrt: "Tokyo",
  ord: "Chicago",
  otp: "Bucharest",
  phx: "Phoenix",
  qro: "Querétaro",
  scl: "Santiago",
  sea: "Seattle",
  sin: "Singapore",
  sjc: "San Jose",
  syd: "Sydney",
  waw: "Warsaw",
  yul: "Montreal",
  yyz: "Toronto",
};

/** Returns the region's city, the code itself if the region is unknown, or null for null. */
export function formatRegion(region: string | null): string | null {
  return region && ((Object.hasOwn(CITIES, region) && CITIES[region]) || region);
}
