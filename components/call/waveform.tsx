"use client";
// The sound as a row of bars. A picture only: what it shows is also said in words beside it.

import { useEffect, useRef } from "react";
import { downsampleLevels } from "#lib/calls/client/level-meter.ts";

const BARS = 96;
const HEIGHT = 48;
/** With less motion the picture changes as often as a clock. */
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

/** What the microphone hears, the newest at the right. */
export function LiveWaveform({
  onLevel,
  isHeld = false,
}: {
  onLevel: (listener: (level: number) => void) => () => void;
  isHeld?: boolean;
}) {
  const path = useRef<SVGPathElement>(null);
  const recent = useRef<number[]>([]);
  useEffect(() => {
    if (isHeld) return;
    const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    let count = 0;
    return onLevel((level) => {
      recent.current.push(level);
      if (recent.current.length > BARS) recent.current.shift();
      if (isCalm && ++count % REDUCED_MOTION_STEP) return;
      path.current?.setAttribute("d", buildBarsPath(recent.current, BARS - recent.current.length));
    });
  }, [onLevel, isHeld]);
  return (
    <svg {...SVG_PROPS} data-held={isHeld || undefined}>
      <path
        d={buildBarsPath(Array<number>(BARS).fill(0))}
        className="waveform-ground"
        vectorEffect="non-scaling-stroke"
      />
      <path ref={path} vectorEffect="non-scaling-stroke" />
    </svg>
  );
}

/** A whole recording; `played` is the part, 0–1, that is already heard. */
export function Waveform({ levels, played = 0 }: { levels: readonly number[]; played?: number }) {
  const all = levels.length > 0 ? downsampleLevels(levels, BARS) : Array<number>(BARS).fill(0);
  const stretched =
    all.length < BARS
      ? Array.from({ length: BARS }, (_, i) => all[Math.floor((i * all.length) / BARS)] ?? 0)
      : all;
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
