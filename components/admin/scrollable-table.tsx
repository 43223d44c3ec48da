// Renders a table that scrolls horizontally, also by keyboard.

import type { ReactNode } from "react";

export function ScrollableTable({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div className="table-frame" role="region" aria-label={label} tabIndex={0}>
      <table className="table">{children}</table>
    </div>
  );
}
