// Sends the issues of the newsletter, on the primary: each recipient gets an issue at most once, and
// exactly once unless SMTP can't tell (docs/decisions/055).

import { setTimeout as sleep } from "node:timers/promises";
import MailComposer from "nodemailer/lib/mail-composer";
import { nowMs } from "#lib/core/clock.ts";
import { env, isSiteUrlMissing } from "#lib/core/env.ts";
import { isAppError } from "#lib/core/errors.ts";
import { log } from "#lib/core/log.ts";
import { type Tx, read, write } from "#lib/db/database.ts";
import { listEmailForms } from "#lib/members/email.sql.ts";
import { renderEmailHtml, renderEmailText } from "#lib/outbound/mail/email-message.ts";
import { saveToLocalMailbox } from "#lib/outbound/mail/local-mailbox.ts";
import { getSender, toMailOptions } from "#lib/outbound/mail/send-email.ts";
import { type SendResult, SmtpSession } from "#lib/outbound/mail/smtp-session.ts";
import { currentRole } from "#lib/replication/role.ts";
import {
  type PendingDelivery,
  finishIssue,
  listDueDeliveries,
  markAbandoned,
  markSending,
  recordResult,
} from "./deliveries.ts";
import { type IssueContent, buildIssueEmail } from "./issue-email.ts";
import { createThrottle } from "./throttle.ts";

const BATCH_SIZE = 100;
/** Separate connections, so that login emails never wait. */
const CONCURRENCY = 2;
const RECORD_RETRY_MS = 500;
const RECORD_TRIES = 60;

const listSending = (tx: Tx) =>
  tx.newsletterIssue.findMany({
    where: { state: "SENDING" },
    select: { id: true, subject: true, intro: true, html: true, text: true, problem: true },
    orderBy: { id: "asc" },
  });

/** Issues that were canceled while their sender died. */
const countCanceledInFlight = (tx: Tx) =>
  tx.newsletterIssue.count({
    where: { state: "CANCELED", deliveries: { some: { state: "SENDING" } } },
  });

/**
 * Sends the due deliveries of all issues that are being sent. Only one call may run at a time, and
 * only on the primary, because it marks the unfinished deliveries of earlier calls as uncertain.
 */
export async function sendDueIssues(): Promise<void> {
  const { issues, canceledCount } = await read(async (tx) => ({
    issues: await listSending(tx),
    canceledCount: await countCanceledInFlight(tx),
  }));
  if (issues.length + canceledCount === 0) return;
  const abandoned = await write(markAbandoned);
  if (abandoned > 0) log("warn", "newsletter.uncertain", { count: abandoned });
  for (const { id, problem, html, text, ...rest } of issues) {
    const sender = new IssueSender(id, { ...rest, html: html ?? "", text: text ?? "" });
    try {
      await sender.sendDue();
    } finally {
      sender.close();
    }
    if (currentRole() !== "primary") return;
    if (sender.problem !== problem)
      await write((tx) =>
        tx.newsletterIssue.updateMany({
          where: { id, state: "SENDING" },
          data: { problem: sender.problem },
        }),
      );
    // The other issues have the same mail server.
    if (sender.problem !== null) return;
    if (await write((tx) => finishIssue(tx, id))) log("info", "newsletter.sent", { issue: id });
  }
}

class IssueSender {
  readonly #issueId: number;
  readonly #content: IssueContent;
  readonly #idle: SmtpSession[] = [];
  readonly #throttle = createThrottle(env.NEWSLETTER_PER_MINUTE);
  /** Why sending stopped: the mail server can't be reached. */
  problem: string | null = null;

  constructor(issueId: number, content: IssueContent) {
    this.#issueId = issueId;
    this.#content = content;
    if (env.SMTP_URL && isSiteUrlMissing()) this.problem = "SITE_URL is not set.";
  }

  /** Sends until nothing is due, the mail server can't be reached, or this is not the primary. */
  async sendDue(): Promise<void> {
    while (this.problem === null && currentRole() === "primary") {
      const due = await read((tx) => listDueDeliveries(tx, this.#issueId, BATCH_SIZE));
      if (due.length === 0) return;
      let isStopped = false;
      const work = async (): Promise<void> => {
        while (!isStopped && this.problem === null) {
          const delivery = due.shift();
          if (!delivery) return;
          const isDelivered = await this.#deliver(delivery).catch((error: unknown) => {
            isStopped = true;
            throw error;
          });
          if (!isDelivered) isStopped = true;
        }
      };
      // All end before the run does, because the next one takes what is in flight for abandoned.
      const results = await Promise.allSettled(Array.from({ length: CONCURRENCY }, work));
      for (const result of results) if (result.status === "rejected") throw result.reason;
      if (isStopped) return;
    }
  }

  close(): void {
    for (const session of this.#idle.splice(0)) session.close();
  }

  /** Returns false if the run must end: another run will decide. */
  async #deliver(delivery: PendingDelivery): Promise<boolean> {
    await this.#throttle();
    const result = await this.#send(delivery);
    if (result === null) return false;
    if (result.outcome === "stopped") return true;
    if (result.outcome === "unreachable") {
      this.problem = result.reason;
      log("warn", "newsletter.unreachable", { issue: this.#issueId, reason: result.reason });
      return true;
    }
    if (result.outcome !== "accepted")
      log("warn", "newsletter.not_sent", { issue: this.#issueId, ...result });
    return recordUntilStored(delivery, result);
  }

  /** Returns null if this instance could not record that the message is about to be sent. */
  async #send(delivery: PendingDelivery): Promise<SendResult | null> {
    const mark = () => write((tx) => markSending(tx, delivery), { isDurable: true });
    try {
      // Marking removes the delivery of someone who has unsubscribed.
      if (delivery.email === null) return (await mark(), { outcome: "stopped" });
      if (!env.SMTP_URL) return await this.#saveLocally(delivery, delivery.email, mark);
      const session = this.#idle.pop() ?? new SmtpSession(env.SMTP_URL);
      try {
        return await session.send({
          from: getSender().address,
          to: listEmailForms(delivery.email)[1],
          message: await this.#compose(delivery, delivery.email),
          beforeMessage: mark,
        });
      } finally {
        this.#idle.push(session);
      }
    } catch (error) {
      if (!isAppError(error, "unavailable")) throw error;
      log("warn", "newsletter.paused", { issue: this.#issueId, error });
      return null;
    }
  }

  /** Returns the message. A second copy has the same Message-ID, which mailboxes may recognize. */
  #compose({ issueId, subscriberId }: PendingDelivery, to: string): Promise<Buffer> {
    const email = buildIssueEmail(this.#content, { email: to, subscriberId });
    const { hostname } = new URL(env.SITE_URL);
    const options = toMailOptions({
      ...email,
      text: renderEmailText(email),
      html: renderEmailHtml(email),
      messageId: `issue-${issueId}.${subscriberId}@${hostname}`,
    });
    return new MailComposer({
      ...options,
      headers: { ...options.headers, "List-ID": `<newsletter.${hostname}>` },
      date: new Date(nowMs()),
      disableFileAccess: true,
      disableUrlAccess: true,
    })
      .compile()
      .build();
  }

  async #saveLocally(
    { subscriberId }: PendingDelivery,
    email: string,
    mark: () => Promise<boolean>,
  ): Promise<SendResult> {
    if (!(await mark())) return { outcome: "stopped" };
    saveToLocalMailbox(buildIssueEmail(this.#content, { email, subscriberId }));
    return { outcome: "accepted" };
  }
}

/**
 * Records the result, even if the database is briefly unavailable; otherwise, it would be uncertain.
 * Returns false if this is no longer the primary, which can record nothing.
 */
async function recordUntilStored(
  delivery: PendingDelivery,
  result: Parameters<typeof recordResult>[2],
): Promise<boolean> {
  for (let tries = 1; ; tries += 1) {
    try {
      await write((tx) => recordResult(tx, delivery, result));
      return true;
    } catch (error) {
      if (!isAppError(error, "unavailable")) throw error;
      if (currentRole() !== "primary" || tries === RECORD_TRIES) return false;
      await sleep(RECORD_RETRY_MS);
    }
  }
}
