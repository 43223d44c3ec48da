// /goodbye: confirms that an account has been deleted, to the browser that deleted it.

import type { Metadata } from "next";
import { redirect } from "next/navigation";
import { connection } from "next/server";
import { readNotice } from "#lib/http/notice-cookie.ts";
import { getViewer } from "#lib/members/viewer.ts";

export const metadata: Metadata = { title: "Account deleted", robots: { index: false } };

export default async function Page() {
  await connection();
  if ((await readNotice()) !== "account-deleted" || (await getViewer()).member) redirect("/");
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
