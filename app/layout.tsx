// Renders the layout of every page: fonts, theme, header and footer. Without a session cookie it is cacheable.

import type { Metadata, Viewport } from "next";
import type { ReactNode } from "react";
import { InstanceBanner } from "#components/cluster/instance-banner.tsx";
import { CopyStatus } from "#components/ui/copy-status.tsx";
import { PersonalPart } from "#components/ui/personal-part.tsx";
import { SiteFooter } from "#components/ui/site-footer.tsx";
import { SiteHeader } from "#components/ui/site-header.tsx";
import { fontVariables } from "#components/ui/fonts.ts";
import { siteStyle } from "#components/ui/site-style.ts";
import { THEME_SCRIPT } from "#lib/http/theme-script.ts";
import { bannerFor } from "./instance-banner.ts";
import { AccountLinks } from "./account-links.tsx";
import { LayoutScripts } from "./layout-scripts.tsx";
import { findLayoutMessages } from "./layout-messages.ts";
import { footerLinks, headerLinks } from "./site-links.ts";
import { feedAlternates } from "#lib/posts/feeds/feed-paths.ts";
import { env } from "#lib/core/env.ts";
import { PAPER } from "#lib/core/color.ts";
import { siteConfig } from "#lib/core/site-config.ts";
import { getSiteMetadata } from "#lib/posts/site-metadata.ts";
import { hasSession, readSessionCookies } from "#lib/members/viewer.ts";
import "./globals.css";

export function generateMetadata(): Metadata {
  const { description } = getSiteMetadata();
  return {
    metadataBase: new URL(env.SITE_URL),
    title: { default: siteConfig.name, template: `%s · ${siteConfig.name}` },
    description,
    applicationName: siteConfig.name,
    authors: [{ name: siteConfig.author.name, url: "/about" }],
    openGraph: {
      type: "website",
      siteName: siteConfig.name,
      title: siteConfig.name,
      description,
      locale: siteConfig.language,
    },
    twitter: { card: "summary_large_image" },
    alternates: { types: feedAlternates },
    icons: {
      icon: [{ url: "/icon.svg", type: "image/svg+xml" }],
      apple: [{ url: "/apple-touch-icon.png", sizes: "180x180" }],
    },
    manifest: "/manifest.webmanifest",
    formatDetection: { telephone: false, email: false, address: false },
  };
}

export const viewport: Viewport = {
  colorScheme: "light dark",
  themeColor: [
    { media: "(prefers-color-scheme: light)", color: PAPER.light },
    { media: "(prefers-color-scheme: dark)", color: PAPER.dark },
  ],
};

export default async function RootLayout({ children }: { children: ReactNode }) {
  const sessionIds = await readSessionCookies();
  const isLoggedIn = await hasSession(sessionIds);
  const banner = await bannerFor(sessionIds);
  const style = siteStyle(siteConfig);
  const { lang, messages } = await findLayoutMessages();
  return (
    // The theme script sets data-theme before hydration, and browser extensions add attributes here.
    <html lang={lang} className={fontVariables} suppressHydrationWarning>
      <head>
        <script dangerouslySetInnerHTML={{ __html: THEME_SCRIPT }} />
        {style && <style dangerouslySetInnerHTML={{ __html: style }} />}
      </head>
      <body>
        <a className="skip" href="#main">
          {messages.skipToContent}
        </a>
        <SiteHeader
          name={siteConfig.name}
          links={headerLinks(messages)}
          messages={messages}
          account={
            siteConfig.features.members && (
              <PersonalPart name="account" inline>
                <AccountLinks
                  isLoggedIn={isLoggedIn}
                  showsAdminLink={sessionIds.showsAdminLink}
                  messages={messages}
                />
              </PersonalPart>
            )
          }
        />
        <main id="main" tabIndex={-1}>
          {children}
        </main>
        <SiteFooter
          links={footerLinks(messages)}
          messages={messages}
          text={siteConfig.footer.text ?? `© ${siteConfig.author.name}`}
          license={siteConfig.license}
          profiles={siteConfig.social}
        >
          {banner && <InstanceBanner status={banner === "later" ? null : banner} />}
        </SiteFooter>
        <CopyStatus {...messages} />
        <LayoutScripts />
      </body>
    </html>
  );
}
