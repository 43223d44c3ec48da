// /unsubscribe: asks the member to confirm, because opening a link must change nothing.

import type { Metadata } from "next";
import { connection } from "next/server";
import { unsubscribe } from "./actions.ts";
import { ActionForm } from "#components/ui/action-form.tsx";
import { SubmitButton } from "#components/ui/submit-button.tsx";
import { siteConfig } from "#lib/core/site-config.ts";
import { type SearchParams, lastValue } from "#lib/http/search-params.ts";

export const metadata: Metadata = { title: "Unsubscribe", robots: { index: false } };

export default async function Page({ searchParams }: { searchParams: Promise<SearchParams> }) {
  await connection();
  const token = lastValue((await searchParams).token).slice(0, 200);
  return (
    <div className="wrap entry">
      <header className="page-head">
        <h1>Unsubscribe</h1>
        <p className="lead">Stop getting new posts from {siteConfig.name} by email?</p>
      </header>
      <ActionForm action={unsubscribe} className="form">
        <input type="hidden" name="token" value={token} />
        <SubmitButton>Unsubscribe</SubmitButton>
      </ActionForm>
    </div>
  );
}
