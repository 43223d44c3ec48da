"use client";
// What stands where a page failed. Nothing of the failure is told, but the number under which the log has it.

const isDevelopment = process.env.NODE_ENV === "development";

export default function ErrorPage({
  error,
  reset,
}: {
  error: Error & { digest?: string };
  reset: () => void;
}) {
  // Whoever writes a post should read here what is wrong with it; readers of the real site never get the message.
  if (isDevelopment) {
    return (
      <div className="wrap">
        <header className="page-head">
          <h1>This page did not come together.</h1>
          <p className="lead">{error.message}</p>
        </header>
        <p>Mend it and save: the page comes back by itself.</p>
      </div>
    );
  }
  return (
    <div className="wrap">
      <header className="page-head">
        <h1>This page did not come together.</h1>
        <p className="lead">
          It is our fault and not yours, and it has been written down
          {error.digest ? ` as ${error.digest}` : ""}. Often it is over in a moment.
        </p>
      </header>
      <p className="post-share">
        <button type="button" className="button" onClick={reset}>
          Try again
        </button>
        <a className="button" href="/blog">
          All posts
        </a>
      </p>
    </div>
  );
}
