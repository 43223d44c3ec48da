// /admin/deliveries: mails and messages that were not delivered yet, and log-in mails that never will be.

import { adminMetadata, requireAdminPage } from "../require-admin-page.tsx";
import { type SearchParams, lastValue } from "#lib/http/search-params.ts";
import { abandonDeliveryAction, retryDeliveryAction } from "./actions.ts";
import { AdminFrame } from "#components/admin/admin-frame.tsx";
import { Timestamp } from "#components/admin/timestamp.tsx";
import { ActionButton } from "#components/ui/submit-button.tsx";
import { readSql } from "#lib/db/database.ts";
import { listLoginEmailFailures } from "#lib/members/login-email.ts";
import type { PendingDelivery } from "#lib/outbound/outbox/outbox.ts";
import { listDeliveries } from "#lib/outbound/outbox/outbox.ts";

export const generateMetadata = () => adminMetadata("Deliveries");

const NOTICES: Record<string, string> = {
  trying:
    "It is being tried again now. What was delivered is no longer listed: load the page again in a moment.",
  "given-up": "Given up for good.",
};
const KINDS = { MAIL: "Mail", NEWSLETTER: "Newsletter", DISCORD: "Discord" } as const;
const MAX_SHOWN = 100;

function DeliveryAttempts({ tries, nextTryAt }: PendingDelivery) {
  return (
    <>
      {tries === 0 ? "not tried yet" : tries === 1 ? "tried once" : `tried ${tries} times`}
      {nextTryAt === null ? (
        ", given up until you say otherwise"
      ) : (
        <>
          , next at <Timestamp ms={nextTryAt} /> UTC
        </>
      )}
    </>
  );
}

export default async function DeliveriesPage({
  searchParams,
}: {
  searchParams: Promise<SearchParams>;
}) {
  const { admin, refused } = await requireAdminPage("/admin/deliveries");
  if (!admin) return refused;
  const said = lastValue((await searchParams).said);
  const deliveries = await readSql((sql) => listDeliveries(sql, MAX_SHOWN));
  const failures = listLoginEmailFailures();
  return (
    <AdminFrame
      current="deliveries"
      title="Deliveries"
      lead="What this site has to tell the world. It tries for two days by itself, then waits for you."
      said={Object.hasOwn(NOTICES, said) ? NOTICES[said] : null}
    >
      <section className="desk-section" aria-labelledby="waiting">
        <h2 id="waiting">Not delivered yet</h2>
        {deliveries.length === 0 ? (
          <p className="muted">Nothing waits.</p>
        ) : (
          <ul className="rows">
            {deliveries.map((delivery) => (
              <li className="row" key={delivery.id}>
                <div className="row-what">
                  <strong>{delivery.about}</strong>
                  <small>
                    {KINDS[delivery.kind]} of <Timestamp ms={delivery.createdAt} /> UTC,{" "}
                    <DeliveryAttempts {...delivery} />
                  </small>
                  {delivery.lastError && <small className="form-error">{delivery.lastError}</small>}
                </div>
                <div className="form-actions">
                  <ActionButton
                    action={retryDeliveryAction}
                    fields={{ id: String(delivery.id) }}
                    loginNext="/admin/deliveries"
                  >
                    Try again<span className="visually-hidden"> {delivery.about}</span>
                  </ActionButton>
                  <ActionButton
                    action={abandonDeliveryAction}
                    fields={{ id: String(delivery.id) }}
                    kind="danger"
                    loginNext="/admin/deliveries"
                  >
                    Give up<span className="visually-hidden"> {delivery.about}</span>
                  </ActionButton>
                </div>
              </li>
            ))}
          </ul>
        )}
        {deliveries.length === MAX_SHOWN && (
          <p className="muted">
            These are the newest {MAX_SHOWN}. Those before them show when these are gone.
          </p>
        )}
      </section>
      <section className="desk-section" aria-labelledby="login">
        <h2 id="login">Log-in mails that were not sent</h2>
        {failures.length === 0 ? (
          <p className="muted">None since this instance was started.</p>
        ) : (
          <>
            <p className="muted">
              Whoever asked was told to try again. These are never sent later: they would hold
              secrets in the meantime.
            </p>
            <ul className="rows">
              {failures.map(({ atMs, reason }, i) => (
                <li className="row" key={i}>
                  <div className="row-what">
                    <span>{reason}</span>
                    <small>
                      <Timestamp ms={atMs} /> UTC
                    </small>
                  </div>
                </li>
              ))}
            </ul>
          </>
        )}
      </section>
    </AdminFrame>
  );
}
