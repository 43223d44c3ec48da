// Renders what notFound() shows. Next prerenders it with every page, so it must be cheap.
// Unknown URLs get [...missing]/page.tsx.

import type { Metadata } from "next";

export const metadata: Metadata = { title: "Not found", robots: { index: false } };

export default function NotFound() {
  return (
    <div className="wrap">
      <header className="page-head">
        <h1>Page not found</h1>
        <p className="lead">
          It may have moved, or never existed. <a href="/blog">Search posts</a>, or go{" "}
          <a href="/">home</a>.
        </p>
      </header>
    </div>
  );
}
