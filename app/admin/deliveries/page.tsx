// Renders /admin/deliveries: pending and failed emails and messages, and login emails that failed.

import { adminMetadata, requireAdminPage } from "../require-admin-page.tsx";
import { type Notice, readNotice } from "#lib/http/notice-cookie.ts";
import { abandonDeliveryAction, retryDeliveryAction } from "./actions.ts";
import { AdminLayout } from "#components/admin/admin-layout.tsx";
import { Timestamp } from "#components/admin/timestamp.tsx";
import { ActionButton } from "#components/ui/submit-button.tsx";
import { read } from "#lib/db/database.ts";
import { listLoginEmailFailures } from "#lib/members/login-email.ts";
import { type PendingDelivery, listDeliveries } from "#lib/outbound/outbox/outbox.ts";

export const generateMetadata = () => adminMetadata("Deliveries");

const NOTICES: Partial<Record<Notice, string>> = {
  "delivery-retrying":
    "Retrying now. Reload in a moment: delivered messages disappear from the list.",
  "delivery-canceled": "Delivery canceled.",
};
const KINDS = { MAIL: "Email", NEWSLETTER: "Newsletter", DISCORD: "Discord" } as const;
const MAX_SHOWN = 100;

function DeliveryAttempts({ tries, nextTryAt }: PendingDelivery) {
  return (
    <>
      {tries === 0 ? "pending" : tries === 1 ? "tried once" : `tried ${tries} times`}
      {nextTryAt === null ? (
        ", paused"
      ) : (
        <>
          , next at <Timestamp ms={nextTryAt.getTime()} /> UTC
        </>
      )}
    </>
  );
}

export default async function DeliveriesPage() {
  const { admin, notFoundPage } = await requireAdminPage("/admin/deliveries");
  if (!admin) return notFoundPage;
  const notice = await readNotice();
  const deliveries = await read((tx) => listDeliveries(tx, MAX_SHOWN));
  const failures = listLoginEmailFailures();
  return (
    <AdminLayout
      current="deliveries"
      title="Deliveries"
      lead="Outgoing messages. Retried for two days."
      notice={notice && NOTICES[notice]}
    >
      <section className="desk-section" aria-labelledby="waiting">
        <h2 id="waiting">Queue</h2>
        {deliveries.length === 0 ? (
          <p className="muted">The queue is empty.</p>
        ) : (
          <ul className="rows">
            {deliveries.map((delivery) => (
              <li className="row" key={delivery.id}>
                <div className="row-what">
                  <strong>{delivery.about}</strong>
                  <small>
                    {KINDS[delivery.kind]}, <Timestamp ms={delivery.createdAt.getTime()} /> UTC,{" "}
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
                    loginNext="/admin/deliveries"
                    consequences="We won’t try to send it again. This can’t be undone."
                  >
                    Cancel delivery<span className="visually-hidden"> {delivery.about}</span>
                  </ActionButton>
                </div>
              </li>
            ))}
          </ul>
        )}
        {deliveries.length === MAX_SHOWN && (
          <p className="muted">Showing the newest {MAX_SHOWN}.</p>
        )}
      </section>
      <section className="desk-section" aria-labelledby="login">
        <h2 id="login">Unsent login emails</h2>
        {failures.length === 0 ? (
          <p className="muted">None since this instance started.</p>
        ) : (
          <>
            <p className="muted">The user was asked to retry. Login emails are never queued.</p>
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
    </AdminLayout>
  );
}
