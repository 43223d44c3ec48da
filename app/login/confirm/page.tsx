// /login/confirm: where the link of the mail leads. Opening it changes nothing, since programs that look for bad links open them too.

import type { Metadata } from "next";
import { connection } from "next/server";
import { logInByLink } from "../actions.ts";
import { readLoginFlowCookie } from "#lib/members/cookies/login-flow-cookie.ts";
import { CodeForm } from "../code-form.tsx";
import { ActionForm, SubmitButton } from "#components/ui/action-form.tsx";
import { env } from "#lib/core/env.ts";
import { readSql } from "#lib/db/database.ts";
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
  const given = await searchParams;
  const token = typeof given.token === "string" ? given.token.slice(0, 100) : "";
  const next = sanitizeRedirectPath(given.next);
  const cookie = await readLoginFlowCookie("login");
  const open = await readSql((sql) =>
    findChallenge(sql, { token, browserId: cookie?.browserId ?? null }),
  );
  if (!open) {
    if (token) retryOnPrimary();
    return (
      <div className="wrap entry entry-one">
        <header className="page-head">
          <h1>This link is worth nothing any more</h1>
          <p className="lead" role="alert">
            It has expired or was used, or its code was tried too often. Ask for a new one.
          </p>
        </header>
        <div className="entry-body">
          <p>
            <a className="button button-main" href={`/login?next=${encodeURIComponent(next)}`}>
              Ask for a new mail
            </a>
          </p>
        </div>
      </div>
    );
  }
  return (
    <div className={open.isThisBrowser ? "wrap entry entry-one" : "wrap entry"}>
      <header className="page-head">
        <h1>{open.isThisBrowser ? "You are nearly in" : "One more thing"}</h1>
        <p className="lead">
          {open.isThisBrowser ? (
            <>
              Log in to {env.SITE_NAME} as <strong className="entry-address">{open.email}</strong>.
            </>
          ) : (
            "This is not the browser in which the mail was asked for, or it has asked for another since. So that the link alone lets nobody in, type the code that stands in the same mail."
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
