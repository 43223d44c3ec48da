"use client";
// Shows a QR code for a few seconds, then hides it. Without JavaScript, it stays visible.

import { useEffect, useState, type ReactNode } from "react";

/** Shows `children` for `ms` milliseconds with a countdown. */
export function ExpiringQrCode({ ms, children }: { ms: number; children: ReactNode }) {
  const [remainingMs, setRemainingMs] = useState<number | null>(null);
  useEffect(() => {
    const end = performance.now() + ms;
    const tick = () => setRemainingMs(Math.max(0, end - performance.now()));
    tick();
    const timer = setInterval(tick, 250);
    return () => clearInterval(timer);
  }, [ms]);

  if (remainingMs === 0) {
    return (
      <div className="qr-frame qr-gone" role="status">
        <p>Code hidden. If you scanned it, continue on that device.</p>
      </div>
    );
  }
  return (
    <div className="qr-frame">
      {children}
      {/* Silent: a screen reader announces only that the code is hidden. */}
      <p className="qr-left figures" role="timer" aria-live="off">
        {remainingMs === null ? <>&nbsp;</> : `Expires in ${Math.ceil(remainingMs / 1000)} s`}
      </p>
    </div>
  );
}
