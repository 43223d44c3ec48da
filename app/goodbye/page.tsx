// /goodbye: after an account is deleted.

import type { Metadata } from "next";
import { connection } from "next/server";

export const metadata: Metadata = { title: "Your account is deleted", robots: { index: false } };

export default async function Page() {
  await connection();
  return (
    <div className="wrap">
      <header className="page-head">
        <h1>Your account is deleted</h1>
        <p className="lead">
          Everything of yours is gone from this site, and you are logged out everywhere. Thank you
          for reading with us.
        </p>
      </header>
      <p>
        <a className="more" href="/blog">
          The posts are open to everybody
        </a>
      </p>
    </div>
  );
}
