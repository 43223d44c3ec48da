// Checks external dependencies: the mail server, ffmpeg, and a reference clock.

import { createTransport } from "nodemailer";
import { SECOND_MS } from "#lib/core/clock.ts";
import { env } from "#lib/core/env.ts";
import { canMergeAudio } from "#lib/calls/merge-audio.ts";
import { siteConfig } from "#lib/core/site-config.ts";
import { type Finding, note, ok, problem } from "../finding.ts";
import { checkClock, measureClockSkewMs } from "./machine.ts";

const SMTP_TIMEOUT_MS = 5 * SECOND_MS;

/** Connects and authenticates, but sends nothing. */
export async function checkSmtp(): Promise<Finding[]> {
  if (!env.SMTP_URL) return [];
  const transport = createTransport({
    url: env.SMTP_URL,
    connectionTimeout: SMTP_TIMEOUT_MS,
    greetingTimeout: SMTP_TIMEOUT_MS,
    socketTimeout: SMTP_TIMEOUT_MS,
    dnsTimeout: SMTP_TIMEOUT_MS,
  } as Parameters<typeof createTransport>[0]);
  const { host } = new URL(env.SMTP_URL);
  try {
    await transport.verify();
    return [ok(`mail server: ${host} accepts the login`)];
  } catch (error) {
    return [
      problem(
        `mail server: ${host}: ${(error as Error).message.slice(0, 200)}`,
        "No one gets a login email.",
        "Correct the host, user or password in SMTP_URL: fly secrets set SMTP_URL=smtps://user:password@host:465",
      ),
    ];
  } finally {
    transport.close();
  }
}

export async function checkFfmpeg(): Promise<Finding[]> {
  if (!siteConfig.features.calls) return [];
  if (await canMergeAudio()) return [ok(`ffmpeg: ${env.FFMPEG_PATH}`)];
  return [
    note(
      "no ffmpeg with an MP3 or AAC encoder",
      "The podcast feed contains answers as recorded, which some podcast apps can't play.",
      "apt-get install ffmpeg, or set FFMPEG_PATH",
    ),
  ];
}

/** Compares this machine's clock with the site's public server. */
export async function checkPublicClock(): Promise<Finding[]> {
  const { hostname } = new URL(env.SITE_URL);
  if (/^(localhost|127\.|\[::1\])/.test(hostname)) return [];
  try {
    return checkClock(hostname, await measureClockSkewMs(`${env.SITE_URL}/healthz`));
  } catch (error) {
    return [
      note(
        `${env.SITE_URL} isn't responding: ${(error as Error).message}`,
        "It may be down or unreachable from here.",
        `npm run doctor -- --url ${env.SITE_URL}`,
      ),
    ];
  }
}
