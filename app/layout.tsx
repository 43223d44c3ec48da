// The frame of every page: language, typefaces, theme, header and footer. The same for everybody without a cookie of ours, so that it can be cached.

import type { Metadata, Viewport } from "next";
import type { ReactNode } from "react";
import { ClusterStrip } from "#components/cluster/strip.tsx";
import { PageActions } from "#components/ui/page-actions.tsx";
import { SiteFooter } from "#components/ui/site-footer.tsx";
import { SiteHeader } from "#components/ui/site-header.tsx";
import { fontVariables } from "#components/ui/fonts.ts";
import { THEME_SCRIPT } from "#lib/base/theme-script.ts";
import { stripFor } from "./_site/here.ts";
import { feedTypes } from "./feed-types.ts";
import { env } from "#lib/base/env.ts";
import { siteFacts } from "#lib/posts/site-facts.ts";
import { readIdentity } from "#lib/session/session.ts";
import "./globals.css";

export function generateMetadata(): Metadata {
  const { description } = siteFacts();
  return {
    metadataBase: new URL(env.SITE_URL),
    title: { default: env.SITE_NAME, template: `%s · ${env.SITE_NAME}` },
    description,
    applicationName: env.SITE_NAME,
    authors: [{ name: env.SITE_AUTHOR }],
    openGraph: {
      type: "website",
      siteName: env.SITE_NAME,
      title: env.SITE_NAME,
      description,
      locale: "en",
    },
    twitter: { card: "summary_large_image" },
    alternates: { types: feedTypes },
    icons: { icon: [{ url: "/icon.svg", type: "image/svg+xml" }] },
    formatDetection: { telephone: false, email: false, address: false },
  };
}

export const viewport: Viewport = {
  colorScheme: "light dark",
  themeColor: [
    { media: "(prefers-color-scheme: light)", color: "#fbfbf9" },
    { media: "(prefers-color-scheme: dark)", color: "#141716" },
  ],
};

const NAV = [
  { href: "/blog", label: "Posts" },
  { href: "/calls", label: "Calls" },
  { href: "/teams", label: "Teams" },
  { href: "/about", label: "About" },
];
const MORE = [
  ...NAV,
  { href: "/how-we-count", label: "How we count" },
  { href: "/feed.xml", label: "RSS" },
  { href: "/atom.xml", label: "Atom" },
  { href: "/feed.json", label: "JSON Feed" },
];

export default async function RootLayout({ children }: { children: ReactNode }) {
  // Only whether a cookie of a session is there: who it is costs a query, and the page that it leads to asks.
  const identity = await readIdentity();
  const strip = await stripFor(identity);
  return (
    // The script below sets data-theme before React wakes, and extensions like to add attributes here.
    <html lang="en" className={fontVariables} suppressHydrationWarning>
      <head>
        <script dangerouslySetInnerHTML={{ __html: THEME_SCRIPT }} />
      </head>
      <body>
        <a className="skip" href="#main">
          Skip to the text
        </a>
        <SiteHeader
          name={env.SITE_NAME}
          links={NAV}
          account={identity.sessionKey ? <a href="/me">Account</a> : <a href="/login">Log in</a>}
        />
        <main id="main" tabIndex={-1}>
          {children}
        </main>
        <SiteFooter links={MORE}>
          {strip && <ClusterStrip here={strip === "later" ? null : strip} />}
        </SiteFooter>
        <PageActions />
      </body>
    </html>
  );
}
