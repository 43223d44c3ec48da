// /login/confirm: the target of an email's link. Opening it changes nothing, since link scanners open it, too.

import type { Metadata } from "next";
import { connection } from "next/server";
import { logInByLink } from "../actions.ts";
import { readLoginFlowCookie } from "#lib/members/cookies.ts";
import { CodeForm } from "../code-form.tsx";
import { ActionForm } from "#components/ui/action-form.tsx";
import { SubmitButton } from "#components/ui/submit-button.tsx";
import { siteConfig } from "#lib/core/site-config.ts";
import { read } from "#lib/db/database.ts";
import { findChallenge } from "#lib/members/login-challenge.ts";
import { retryOnPrimary } from "#lib/replication/read-your-writes.ts";
import { sanitizeRedirectPath } from "#lib/http/sanitize-redirect-path.ts";

export const metadata: Metadata = { title: "Log in", robots: { index: false, follow: false } };

export default async function Page({
  searchParams,
}: {
  searchParams: Promise<{ token?: string | string[]; next?: string | string[] }>;
}) {
  await connection();
  const params = await searchParams;
  const token = typeof params.token === "string" ? params.token.slice(0, 100) : "";
  const next = sanitizeRedirectPath(params.next);
  const cookie = await readLoginFlowCookie("login");
  const open = await read((tx) =>
    findChallenge(tx, { token, browserId: cookie?.browserId ?? null }),
  );
  if (!open) {
    if (token) retryOnPrimary();
    return (
      <div className="wrap entry entry-one">
        <header className="page-head">
          <h1>This link has expired</h1>
          <p className="lead" role="alert">
            It has expired, been used, or been tried too often. Request a new one.
          </p>
        </header>
        <div className="entry-body">
          <p>
            <a className="button button-main" href={`/login?next=${encodeURIComponent(next)}`}>
              Send a new email
            </a>
          </p>
        </div>
      </div>
    );
  }
  return (
    <div className={open.isThisBrowser ? "wrap entry entry-one" : "wrap entry"}>
      <header className="page-head">
        <h1>{open.isThisBrowser ? "Almost there" : "Enter your code"}</h1>
        <p className="lead">
          {open.isThisBrowser ? (
            <>
              Log in to {siteConfig.name} as <strong className="entry-address">{open.email}</strong>
              .
            </>
          ) : (
            "You opened this link in a different browser. To keep your account safe, enter the code from the same email."
          )}
        </p>
      </header>
      <div className="entry-body">
        {open.isThisBrowser ? (
          <ActionForm action={logInByLink} className="form">
            <input type="hidden" name="token" value={token} />
            <input type="hidden" name="next" value={next} />
            <SubmitButton>Log in</SubmitButton>
          </ActionForm>
        ) : (
          <CodeForm token={token} next={next} />
        )}
      </div>
    </div>
  );
}
