// Places Fly's regions (https://fly.io/docs/reference/regions/) and their labels on the map.

/** Longitude and latitude of the city, in degrees. */
const REGIONS: Readonly<
  Record<string, readonly [city: string, longitude: number, latitude: number]>
> = {
  ams: ["Amsterdam", 4.9, 52.4],
  arn: ["Stockholm", 18.1, 59.3],
  atl: ["Atlanta", -84.4, 33.7],
  bog: ["Bogotá", -74.1, 4.7],
  bom: ["Mumbai", 72.9, 19.1],
  bos: ["Boston", -71.1, 42.4],
  cdg: ["Paris", 2.4, 48.9],
  den: ["Denver", -105, 39.7],
  dfw: ["Dallas", -96.8, 32.8],
  ewr: ["Secaucus", -74.1, 40.8],
  eze: ["Buenos Aires", -58.4, -34.6],
  fra: ["Frankfurt", 8.7, 50.1],
  gdl: ["Guadalajara", -103.3, 20.7],
  gig: ["Rio de Janeiro", -43.2, -22.9],
  gru: ["São Paulo", -46.6, -23.6],
  hkg: ["Hong Kong", 114.2, 22.3],
  iad: ["Ashburn", -77.5, 39],
  jnb: ["Johannesburg", 28, -26.2],
  lax: ["Los Angeles", -118.2, 34.1],
  lhr: ["London", -0.1, 51.5],
  maa: ["Chennai", 80.3, 13.1],
  mad: ["Madrid", -3.7, 40.4],
  mia: ["Miami", -80.2, 25.8],
  nrt: ["Tokyo", 139.7, 35.7],
  ord: ["Chicago", -87.6, 41.9],
  otp: ["Bucharest", 26.1, 44.4],
  phx: ["Phoenix", -112.1, 33.4],
  qro: ["Querétaro", -100.4, 20.6],
  scl: ["Santiago", -70.7, -33.4],
  sea: ["Seattle", -122.3, 47.6],
  sin: ["Singapore", 103.8, 1.4],
  sjc: ["San Jose", -121.9, 37.3],
  syd: ["Sydney", 151.2, -33.9],
  waw: ["Warsaw", 21, 52.2],
  yul: ["Montréal", -73.6, 45.5],
  yyz: ["Toronto", -79.4, 43.7],
};

/** Returns "Amsterdam" for "ams"; null for an unknown region. */
export function findCity(region: string | null): string | null {
  return (region !== null && Object.hasOwn(REGIONS, region) && REGIONS[region]?.[0]) || null;
}

/** One unit is one degree: 360 wide, and from 76° north to 56° south. */
const NORTH_EDGE_LATITUDE = 76;
export const MAP_WIDTH = 360;
export const MAP_HEIGHT = 132;

export interface Point {
  readonly x: number;
  readonly y: number;
}

export const projectPoint = (longitude: number, latitude: number): Point => ({
  x: longitude + 180,
  y: NORTH_EDGE_LATITUDE - latitude,
});

/** Returns null for an unknown region. */
export function findRegionPoint(region: string | null): Point | null {
  const place = region !== null && Object.hasOwn(REGIONS, region) ? REGIONS[region] : undefined;
  return place ? projectPoint(place[1], place[2]) : null;
}

/** Returns an SVG path: an arc that rises with the distance. */
export function arcPath(from: Point, to: Point): string {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const rise = Math.min(26, Math.hypot(dx, dy) * 0.2);
  const round = (value: number) => Math.round(value * 10) / 10;
  return `M${round(from.x)} ${round(from.y)}Q${round((from.x + to.x) / 2)} ${round(Math.max(2, (from.y + to.y) / 2 - rise))} ${round(to.x)} ${round(to.y)}`;
}

export interface Label extends Point {
  readonly anchor: "start" | "end" | "middle";
}

/** Size of a label of three letters, and its distance from the dot. */
const LABEL_BOX = { width: 25, height: 12, gap: 6 };

/**
 * Places a label next to each point without covering other labels or points, if possible. Prefers the right side; for
 * `origin`, where the lines begin, the side with fewer points.
 */
export function placeLabels(points: readonly Point[], origin?: Point): Label[] {
  const taken: { left: number; right: number; top: number; bottom: number }[] = [];
  const { width, height, gap } = LABEL_BOX;
  return points.map((point) => {
    const candidates: Label[] = [
      { x: point.x + gap, y: point.y + 3, anchor: "start" },
      { x: point.x - gap, y: point.y + 3, anchor: "end" },
      { x: point.x, y: point.y - gap, anchor: "middle" },
      { x: point.x, y: point.y + gap + 7, anchor: "middle" },
      { x: point.x + gap, y: point.y - gap, anchor: "start" },
      { x: point.x - gap, y: point.y + gap + 7, anchor: "end" },
    ];
    const boxOf = ({ x, y, anchor }: Label) => {
      const left = anchor === "start" ? x : anchor === "end" ? x - width : x - width / 2;
      return { left, right: left + width, top: y - height + 3, bottom: y + 3 };
    };
    const isFree = (label: Label) => {
      const box = boxOf(label);
      if (box.left < 0 || box.right > MAP_WIDTH || box.top < 0 || box.bottom > MAP_HEIGHT)
        return false;
      if (
        points.some(
          (other) =>
            other !== point &&
            other.x > box.left - 3 &&
            other.x < box.right + 3 &&
            other.y > box.top - 3 &&
            other.y < box.bottom + 3,
        )
      )
        return false;
      return taken.every(
        (other) =>
          box.right <= other.left ||
          box.left >= other.right ||
          box.bottom <= other.top ||
          box.top >= other.bottom,
      );
    };
    if (point === origin && points.filter(({ x }) => x > point.x).length > points.length / 2)
      candidates.unshift(...candidates.splice(1, 1));
    const label = candidates.find(isFree) ?? candidates[0]!;
    taken.push(boxOf(label));
    return label;
  });
}
