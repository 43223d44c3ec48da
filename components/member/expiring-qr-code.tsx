"use client";
// Shows a code for some seconds, then takes it off the screen. Without scripts it stays until it expires by itself.

import { useEffect, useState, type ReactNode } from "react";

/** `children` for `ms` milliseconds from now on, with the seconds that are left. */
export function ExpiringQrCode({ ms, children }: { ms: number; children: ReactNode }) {
  const [leftMs, setLeftMs] = useState<number | null>(null);
  useEffect(() => {
    const end = performance.now() + ms;
    const tick = () => setLeftMs(Math.max(0, end - performance.now()));
    tick();
    const timer = setInterval(tick, 250);
    return () => clearInterval(timer);
  }, [ms]);

  if (leftMs === 0) {
    return (
      <div className="qr-frame qr-gone" role="status">
        <p>The code is hidden. If the other device has read it, go on there.</p>
      </div>
    );
  }
  return (
    <div className="qr-frame">
      {children}
      {/* Not announced each second: what counts is said when it is gone. */}
      <p className="qr-left figures" role="timer" aria-live="off">
        {leftMs === null ? <>&nbsp;</> : `Hidden in ${Math.ceil(leftMs / 1000)} s`}
      </p>
    </div>
  );
}
