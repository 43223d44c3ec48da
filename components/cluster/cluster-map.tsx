// Draws the cluster on a map: a dot for each region with nodes, and a line from the primary to each of the others.

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
  const reachable = nodes.filter(({ unreachableSinceMs }) => unreachableSinceMs === null);
  if (reachable.length === 0) return "gone";
  if (reachable.some(({ role }) => role === "primary")) return "primary";
  return reachable.some(({ role }) => role === "replica") ? "replica" : "waiting";
}

function groupByRegion(nodes: readonly NodeView[]): RegionMarker[] {
  const regions = [...new Set(nodes.map(({ region }) => region))];
  return regions.flatMap((region) => {
    const point = findRegionPoint(region);
    const regionNodes = nodes.filter((node) => node.region === region);
    return region !== null && point
      ? [{ region, point, nodes: regionNodes, kind: markerKind(regionNodes) }]
      : [];
  });
}

/** The table has the same content, so screen readers get only a label. */
export function ClusterMap({ nodes }: { nodes: readonly NodeView[] }) {
  const markers = groupByRegion(nodes);
  if (markers.length === 0) return null;
  const primary = markers.find(({ kind }) => kind === "primary");
  const labels = placeLabels(
    markers.map(({ point }) => point),
    primary?.point,
  );
  return (
    <svg
      className="cluster-map"
      viewBox={`0 0 ${MAP_WIDTH} ${MAP_HEIGHT}`}
      role="img"
      aria-label="Map of the regions, with the same data as the table below"
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
        markers
          .filter((marker) => marker !== primary)
          .map(({ region, point, kind }) => (
            <path
              key={region}
              className={`cluster-line cluster-line-${kind}`}
              d={arcPath(primary.point, point)}
            />
          ))}
      {markers.map(({ region, point, kind }) => (
        <g key={region} className={`cluster-dot cluster-dot-${kind}`}>
          {kind === "primary" && <circle className="cluster-ring" cx={point.x} cy={point.y} />}
          <circle className="cluster-core" cx={point.x} cy={point.y} />
        </g>
      ))}
      {markers.map(({ region, nodes: regionNodes }, i) => (
        <text key={region} x={labels[i]!.x} y={labels[i]!.y} textAnchor={labels[i]!.anchor}>
          {region}
          {regionNodes.length > 1 ? ` ×${regionNodes.length}` : ""}
        </text>
      ))}
    </svg>
  );
}
