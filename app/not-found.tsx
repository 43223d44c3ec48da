// For notFound() thrown somewhere. Next renders this beside every page in case it is needed, so it costs nothing:
// whole addresses that lead nowhere get [...missing]/page.tsx.

import type { Metadata } from "next";

export const metadata: Metadata = { title: "Not found", robots: { index: false } };

export default function NotFound() {
  return (
    <div className="wrap">
      <header className="page-head">
        <h1>There is no such page.</h1>
        <p className="lead">
          It may have been renamed, or never written. <a href="/blog">Search the posts</a>, or go{" "}
          <a href="/">home</a>.
        </p>
      </header>
    </div>
  );
}
