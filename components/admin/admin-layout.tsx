// Renders the layout of an admin page: navigation, title and notice.

import type { ReactNode } from "react";
import { siteConfig } from "#lib/core/site-config.ts";

const PAGES = [
  { name: "overview", href: "/admin", label: "Overview" },
  { name: "posts", href: "/admin/posts", label: "Posts" },
  { name: "users", href: "/admin/users", label: "Users" },
  { name: "calls", href: "/admin/calls", label: "Calls" },
  { name: "content", href: "/admin/content", label: "Content" },
  { name: "newsletter", href: "/admin/newsletter", label: "Newsletter" },
  { name: "cache", href: "/admin/cache", label: "Cache" },
  { name: "cluster", href: "/admin/cluster", label: "Cluster" },
  { name: "reads", href: "/admin/reads", label: "Reads" },
  { name: "deliveries", href: "/admin/deliveries", label: "Deliveries" },
  { name: "log", href: "/admin/log", label: "Log" },
] as const;

export type AdminPageName = (typeof PAGES)[number]["name"];

/** `current` is marked in the navigation; `notice` is the result of the action that redirected here. */
export function AdminLayout({
  current,
  title,
  lead,
  notice,
  children,
}: {
  current: AdminPageName;
  title: ReactNode;
  lead?: ReactNode;
  notice?: string | null;
  children: ReactNode;
}) {
  return (
    <div className="wrap admin">
      <nav className="admin-nav" aria-label="Admin">
        <ul>
          {PAGES.filter(
            ({ name }) => (name !== "calls" && name !== "newsletter") || siteConfig.features[name],
          ).map(({ name, href, label }) => (
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
        {notice && (
          <p className="form-message" role="status">
            {notice}
          </p>
        )}
      </header>
      <div className="desk">{children}</div>
    </div>
  );
}
