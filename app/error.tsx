"use client";
// Renders the error page: shows only the reference of the log entry, never the error.

const isDevelopment = process.env.NODE_ENV === "development";

export default function ErrorPage({
  error,
  retry,
}: {
  error: Error & { digest?: string };
  retry: () => void;
}) {
  // In development, authors see what is wrong with a post.
  if (isDevelopment) {
    return (
      <div className="wrap">
        <header className="page-head">
          <h1>Something went wrong.</h1>
          <p className="lead">{error.message}</p>
        </header>
        <p>Fix it and save; the page reloads automatically.</p>
      </div>
    );
  }
  return (
    <div className="wrap">
      <header className="page-head">
        <h1>Something went wrong.</h1>
        <p className="lead">
          This is our fault. We’ve logged it{error.digest ? ` (ref ${error.digest})` : ""}. Please
          try again in a moment.
        </p>
      </header>
      <p className="post-share">
        <button type="button" className="button" onClick={retry}>
          Try again
        </button>
        <a className="button" href="/blog">
          All posts
        </a>
      </p>
    </div>
  );
}
