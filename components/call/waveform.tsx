"use client";
// Draws a waveform as bars. It is decorative: the text next to it has the same information.

import { useEffect, useRef } from "react";
import { downsampleLevels } from "#lib/calls/client/level-meter.ts";

const BARS = 96;
const HEIGHT = 48;
/** With reduced motion, only every tenth level redraws the waveform: twice a second. */
const REDUCED_MOTION_STEP = 10;

function buildBarsPath(levels: readonly number[], from = 0): string {
  let path = "";
  for (let i = 0; i < levels.length; i++) {
    const half = Math.max(0.75, ((levels[i] ?? 0) / 100) * (HEIGHT / 2 - 1));
    path += `M${from + i + 0.5} ${(HEIGHT / 2 - half).toFixed(1)}V${(HEIGHT / 2 + half).toFixed(1)}`;
  }
  return path;
}

const SVG_PROPS = {
  className: "waveform",
  viewBox: `0 0 ${BARS} ${HEIGHT}`,
  preserveAspectRatio: "none",
  "aria-hidden": true,
  focusable: false,
} as const;

/** Draws the live level, the newest at the right. */
export function LiveWaveform({
  subscribe,
  isFrozen = false,
}: {
  subscribe: (listener: (level: number) => void) => () => void;
  isFrozen?: boolean;
}) {
  const path = useRef<SVGPathElement>(null);
  const recent = useRef<number[]>([]);
  useEffect(() => {
    if (isFrozen) return;
    const isReduced = matchMedia("(prefers-reduced-motion: reduce)").matches;
    let count = 0;
    return subscribe((level) => {
      recent.current.push(level);
      if (recent.current.length > BARS) recent.current.shift();
      if (isReduced && ++count % REDUCED_MOTION_STEP) return;
      path.current?.setAttribute("d", buildBarsPath(recent.current, BARS - recent.current.length));
    });
  }, [subscribe, isFrozen]);
  return (
    <svg {...SVG_PROPS} data-frozen={isFrozen || undefined}>
      <path
        d={buildBarsPath(Array<number>(BARS).fill(0))}
        className="waveform-ground"
        vectorEffect="non-scaling-stroke"
      />
      <path ref={path} vectorEffect="non-scaling-stroke" />
    </svg>
  );
}

/** Draws a whole recording; `played` is the fraction, 0–1, that was already played. */
export function Waveform({ levels, played = 0 }: { levels: readonly number[]; played?: number }) {
  const bars = levels.length > 0 ? downsampleLevels(levels, BARS) : Array<number>(BARS).fill(0);
  const stretched =
    bars.length < BARS
      ? Array.from({ length: BARS }, (_, i) => bars[Math.floor((i * bars.length) / BARS)] ?? 0)
      : bars;
  const split = Math.round(played * BARS);
  return (
    <svg {...SVG_PROPS}>
      <path
        d={buildBarsPath(stretched)}
        className="waveform-rest"
        vectorEffect="non-scaling-stroke"
      />
      <path d={buildBarsPath(stretched.slice(0, split))} vectorEffect="non-scaling-stroke" />
    </svg>
  );
}
