// A QR code, drawn on the server.

import { encode } from "uqr";

/** Four modules of quiet around it, as the standard wants (ISO/IEC 18004). */
const QUIET_ZONE_MODULES = 4;

/** `text` as a code, dark on light in either theme: many cameras read nothing else. `label` is what it is to those who don't see it. */
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
