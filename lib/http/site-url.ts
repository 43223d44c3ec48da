// Refuses login emails while the site doesn't know its address, and says so at startup.

import { env, isSiteUrlMissing } from "#lib/core/env.ts";
import { AppError } from "#lib/core/errors.ts";
import { log } from "#lib/core/log.ts";
import { currentRequestContext } from "#lib/core/request-context.ts";
import { findForwardingHeader } from "./forwarding-headers.ts";

const LOCAL_HOST = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/**
 * Throws AppError(unavailable) if SITE_URL is missing and the site is more than a trial on its
 * owner's machine: it has a mail server, a proxy in front, or another name. Call it before a login
 * email is sent.
 */
export function assertSiteUrl(): void {
  if (!isSiteUrlMissing()) return;
  const request = currentRequestContext()?.request;
  const host = URL.parse(`http://${request?.headers.host}`)?.hostname ?? "";
  const isTrial =
    env.SMTP_URL === undefined &&
    request !== undefined &&
    findForwardingHeader(request) === undefined &&
    LOCAL_HOST.test(host);
  if (!isTrial)
    throw new AppError(
      "unavailable",
      "We can't send login emails yet: this site doesn't know its address. Its owner must set SITE_URL.",
      { retryAfterSeconds: 3_600 },
    );
}

/** Logs what is missing in production. Called once, at startup. */
export function reportMissingConfiguration(): void {
  if (isSiteUrlMissing())
    log("warn", "config.site_url_missing", {
      hint: "SITE_URL is not set, so only people who open this site as localhost can log in. Set it to the site's public address.",
    });
  if (env.NODE_ENV === "production" && env.METRICS_TOKEN === undefined)
    log("info", "config.metrics_token_missing", {
      hint: "METRICS_TOKEN is not set, so /metrics is 404 for everyone but the site's other instances.",
    });
}
