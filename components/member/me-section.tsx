// Renders a section of /me, with its title on the left where there is room.

import type { ReactNode } from "react";

export function MeSection({
  id,
  title,
  children,
}: {
  id: string;
  title: string;
  children: ReactNode;
}) {
  return (
    <section className="me-section" aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      <div className="me-what">{children}</div>
    </section>
  );
}
