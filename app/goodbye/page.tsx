// /goodbye: confirms that an account has been deleted.

import type { Metadata } from "next";
import { connection } from "next/server";

export const metadata: Metadata = { title: "Account deleted", robots: { index: false } };

export default async function Page() {
  await connection();
  return (
    <div className="wrap">
      <header className="page-head">
        <h1>Your account has been deleted</h1>
        <p className="lead">
          Your data has been removed, and you’re logged out on every device. Thanks for reading.
        </p>
      </header>
      <p>
        <a className="more" href="/blog">
          Keep reading
        </a>
      </p>
    </div>
  );
}
