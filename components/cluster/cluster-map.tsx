// The nodes on a map: a dot for each region that has some, a line from the primary to each of the others.

import { CONTINENT_OUTLINES } from "./continent-outlines.ts";
import {
  MAP_HEIGHT,
  MAP_WIDTH,
  type Point,
  arcPath,
  findRegionPoint,
  placeLabels,
} from "./regions.ts";
import type { NodeView } from "#lib/replication/node-view.ts";

interface RegionMarker {
  readonly region: string;
  readonly point: Point;
  readonly nodes: readonly NodeView[];
  readonly kind: "primary" | "replica" | "waiting" | "gone";
}

function markerKind(nodes: readonly NodeView[]): RegionMarker["kind"] {
  const there = nodes.filter(({ unreachableSinceMs }) => unreachableSinceMs === null);
  if (there.length === 0) return "gone";
  if (there.some(({ role }) => role === "primary")) return "primary";
  return there.some(({ role }) => role === "replica") ? "replica" : "waiting";
}

function groupByRegion(nodes: readonly NodeView[]): RegionMarker[] {
  const regions = [...new Set(nodes.map(({ region }) => region))];
  return regions.flatMap((region) => {
    const point = findRegionPoint(region);
    const here = nodes.filter((node) => node.region === region);
    return region !== null && point ? [{ region, point, nodes: here, kind: markerKind(here) }] : [];
  });
}

/** Says nothing that the table does not say: to a screen reader it is only named. */
export function ClusterMap({ nodes }: { nodes: readonly NodeView[] }) {
  const places = groupByRegion(nodes);
  if (places.length === 0) return null;
  const primary = places.find(({ kind }) => kind === "primary");
  const labels = placeLabels(
    places.map(({ point }) => point),
    primary?.point,
  );
  return (
    <svg
      className="cluster-map"
      viewBox={`0 0 ${MAP_WIDTH} ${MAP_HEIGHT}`}
      role="img"
      aria-label="Map of the regions; the table below says the same"
    >
      <g className="cluster-graticule">
        {[-150, -120, -90, -60, -30, 0, 30, 60, 90, 120, 150].map((longitude) => (
          <path key={longitude} d={`M${longitude + 180} 0V${MAP_HEIGHT}`} />
        ))}
        {[60, 30, 0, -30].map((latitude) => (
          <path key={latitude} d={`M0 ${76 - latitude}H${MAP_WIDTH}`} />
        ))}
      </g>
      <path className="cluster-land" d={CONTINENT_OUTLINES} />
      {primary &&
        places
          .filter((place) => place !== primary)
          .map(({ region, point, kind }) => (
            <path
              key={region}
              className={`cluster-line cluster-line-${kind}`}
              d={arcPath(primary.point, point)}
            />
          ))}
      {places.map(({ region, point, kind }) => (
        <g key={region} className={`cluster-dot cluster-dot-${kind}`}>
          {kind === "primary" && <circle className="cluster-ring" cx={point.x} cy={point.y} />}
          <circle className="cluster-core" cx={point.x} cy={point.y} />
        </g>
      ))}
      {places.map(({ region, nodes: here }, i) => (
        <text key={region} x={labels[i]!.x} y={labels[i]!.y} textAnchor={labels[i]!.anchor}>
          {region}
          {here.length > 1 ? ` ×${here.length}` : ""}
        </text>
      ))}
    </svg>
  );
}
