// Draws a QR code on the server.

import { encode } from "uqr";

/** The quiet zone that ISO/IEC 18004 requires. */
const QUIET_ZONE_MODULES = 4;

/**
 * Draws `text` dark on light in either theme: many cameras can't read anything else. `label` is the
 * accessible name.
 */
export function QrCode({ text, label }: { text: string; label: string }) {
  const { data, size } = encode(text, { ecc: "M", border: QUIET_ZONE_MODULES });
  const path = data
    .map((row, y) => row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : "")).join(""))
    .join("");
  return (
    <svg
      className="qr"
      viewBox={`0 0 ${size} ${size}`}
      role="img"
      aria-label={label}
      shapeRendering="crispEdges"
    >
      <path d={path} fill="currentColor" />
    </svg>
  );
}
