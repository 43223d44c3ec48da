// The frame of every admin page: where one can go, the page's name, and what was just done.

import type { ReactNode } from "react";

const PAGES = [
  { name: "overview", href: "/admin", label: "Overview" },
  { name: "users", href: "/admin/users", label: "Users" },
  { name: "calls", href: "/admin/calls", label: "Calls" },
  { name: "content", href: "/admin/content", label: "Content" },
  { name: "cache", href: "/admin/cache", label: "Cache" },
  { name: "cluster", href: "/admin/cluster", label: "Cluster" },
  { name: "reads", href: "/admin/reads", label: "Reads" },
  { name: "deliveries", href: "/admin/deliveries", label: "Deliveries" },
  { name: "log", href: "/admin/log", label: "Log" },
] as const;

export type AdminPageName = (typeof PAGES)[number]["name"];

/** `current` is marked in the navigation; `said` is what an action did before it led here. */
export function AdminFrame({
  current,
  title,
  lead,
  said,
  children,
}: {
  current: AdminPageName;
  title: ReactNode;
  lead?: ReactNode;
  said?: string | null;
  children: ReactNode;
}) {
  return (
    <div className="wrap admin">
      <nav className="admin-nav" aria-label="Admin">
        <ul>
          {PAGES.map(({ name, href, label }) => (
            <li key={name}>
              <a href={href} aria-current={name === current ? "page" : undefined}>
                {label}
              </a>
            </li>
          ))}
        </ul>
      </nav>
      <header className="admin-head">
        <h1>{title}</h1>
        {lead && <p className="lead">{lead}</p>}
        {said && (
          <p className="form-message" role="status">
            {said}
          </p>
        )}
      </header>
      <div className="desk">{children}</div>
    </div>
  );
}
