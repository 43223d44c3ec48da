"use client";
// Renders the error page when even the layout failed. Self-contained.

export default function GlobalError({ error }: { error: Error & { digest?: string } }) {
  return (
    <html lang="en">
      <head>
        <title>Something went wrong</title>
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <style>{`:root{color-scheme:light dark}body{max-width:34rem;margin:12vh auto;padding:0 1.25rem;font:1.2rem/1.55 Georgia,serif}h1{font-weight:400;line-height:1.1}`}</style>
      </head>
      <body>
        <main>
          <h1>Something went wrong.</h1>
          <p>
            This is our fault. We’ve logged it{error.digest ? ` (ref ${error.digest})` : ""}. Please
            try again in a moment.
          </p>
          <p>
            <a href="">Try again</a>
          </p>
        </main>
      </body>
    </html>
  );
}
