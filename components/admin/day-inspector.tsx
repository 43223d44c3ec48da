"use client";
// Lets the reader of a chart choose a day by pointer, touch or arrow keys, and shows its numbers.

import { type PointerEvent, type ReactNode, useEffect, useState } from "react";

/** `days` describes each day of the chart, which is `children`. */
export function DayInspector({ days, children }: { days: readonly string[]; children: ReactNode }) {
  const [index, setIndex] = useState(days.length - 1);
  // Without JavaScript, the control would do nothing.
  const [isReady, setReady] = useState(false);
  useEffect(() => setReady(true), []);
  const followPointer = ({ clientX, currentTarget }: PointerEvent) => {
    const { left, width } = currentTarget.getBoundingClientRect();
    const place = Math.floor(((clientX - left) / width) * days.length);
    setIndex(Math.min(days.length - 1, Math.max(0, place)));
  };
  const text = days[index] ?? "";
  return (
    <>
      <div className="days-area" onPointerMove={followPointer} onPointerDown={followPointer}>
        {children}
        {isReady && (
          <>
            <div
              className="days-cursor"
              style={{
                width: `${100 / days.length}%`,
                insetInlineStart: `${(100 * index) / days.length}%`,
              }}
            />
            <input
              type="range"
              className="days-input"
              aria-label="Day"
              aria-valuetext={text}
              max={days.length - 1}
              value={index}
              onChange={({ target }) => setIndex(Number(target.value))}
            />
          </>
        )}
      </div>
      {isReady && <p className="days-readout figures">{text}</p>}
    </>
  );
}
