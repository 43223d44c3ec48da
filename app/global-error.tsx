"use client";
// The last page there is: for when even the layout failed. Needs nothing but this file.

export default function GlobalError({ error }: { error: Error & { digest?: string } }) {
  return (
    <html lang="en">
      <head>
        <title>Something broke</title>
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <style>{`:root{color-scheme:light dark}body{max-width:34rem;margin:12vh auto;padding:0 1.25rem;font:1.2rem/1.55 Georgia,serif}h1{font-weight:400;line-height:1.1}`}</style>
      </head>
      <body>
        <main>
          <h1>This page did not come together.</h1>
          <p>
            It is our fault and not yours, and it has been written down
            {error.digest ? ` as ${error.digest}` : ""}. Often it is over in a moment.
          </p>
          <p>
            <a href="">Try again</a>
          </p>
        </main>
      </body>
    </html>
  );
}
