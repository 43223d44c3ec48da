// /me/device: the code that logs a member in on another device.

import type { Metadata } from "next";
import Link from "next/link";
import { redirect } from "next/navigation";
import { connection } from "next/server";
import { showDeviceCode } from "../actions.ts";
import { readDeviceLinkCookie } from "#lib/members/cookies/device-link-cookie.ts";
import { QrCode } from "#components/member/qr-code.tsx";
import { ExpiringQrCode } from "#components/member/expiring-qr-code.tsx";
import { ActionButton } from "#components/ui/action-form.tsx";
import { nowMs } from "#lib/core/clock.ts";
import { env } from "#lib/core/env.ts";
import { readSql } from "#lib/db/database.ts";
import {
  DEVICE_LINK_TTL_MS,
  DEVICE_LINK_DISPLAY_MS,
  findDeviceLink,
} from "#lib/members/device-link.ts";
import { getViewer } from "#lib/members/session/session.ts";

export const metadata: Metadata = { title: "Log in on another device", robots: { index: false } };

export default async function Page() {
  await connection();
  const { member } = await getViewer();
  if (!member) redirect("/login?next=/me");
  const token = await readDeviceLinkCookie();
  const found = token ? await readSql((sql) => findDeviceLink(sql, token)) : null;
  const link = found?.userId === member.id ? found : null;
  return (
    <div className="wrap">
      <header className="page-head">
        <h1>Log in on another device</h1>
        <p className="lead">
          Point the other device’s camera at the code, open the address it reads, and press the
          button there. Whoever does is logged in as you, {member.firstName}: show it to nobody
          else.
        </p>
      </header>
      <div className="me-device">
        {link && token ? (
          // A new code is a new clock.
          <ExpiringQrCode
            key={link.expiresAtMs}
            ms={link.expiresAtMs - DEVICE_LINK_TTL_MS + DEVICE_LINK_DISPLAY_MS - nowMs()}
          >
            <QrCode
              text={`${env.SITE_URL}/login/device?token=${token}`}
              label={`A code for a camera. It logs in as ${member.firstName}, once, within a minute.`}
            />
          </ExpiringQrCode>
        ) : (
          <p role="status">There is no code to show: the last one was used or has expired.</p>
        )}
        <div className="form-actions">
          <ActionButton action={showDeviceCode} loginNext="/me">
            Show a new code
          </ActionButton>
          <Link className="more" href="/me">
            Back to your account
          </Link>
        </div>
        <p className="muted me-note">
          A code is shown for fifteen seconds. It works once, and the button wants to be pressed
          within a minute of its being made; a new code voids the one before. Without a camera, log
          in by mail on the other device.
        </p>
      </div>
    </div>
  );
}
