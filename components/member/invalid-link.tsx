// Renders the page of an emailed link that doesn't work. `children` says why, and what to do.

import type { ReactNode } from "react";

export function InvalidLink({ children }: { children: ReactNode }) {
  return (
    <div className="wrap entry">
      <header className="page-head">
        <h1>This link doesn’t work</h1>
        <p className="lead">{children}</p>
      </header>
    </div>
  );
}
