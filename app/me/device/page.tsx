// /me/device: shows the QR code that logs a member in on another device.

import type { Metadata } from "next";
import Link from "next/link";
import { redirect } from "next/navigation";
import { connection } from "next/server";
import { showDeviceCode } from "../actions.ts";
import { deviceLinkCookie } from "#lib/members/cookies.ts";
import { QrCode } from "#components/member/qr-code.tsx";
import { ExpiringQrCode } from "#components/member/expiring-qr-code.tsx";
import { ActionButton } from "#components/ui/submit-button.tsx";
import { nowMs } from "#lib/core/clock.ts";
import { env } from "#lib/core/env.ts";
import { read } from "#lib/db/database.ts";
import {
  DEVICE_LINK_TTL_MS,
  DEVICE_LINK_DISPLAY_MS,
  findDeviceLink,
} from "#lib/members/device-link.ts";
import { getViewer } from "#lib/members/viewer.ts";

export const metadata: Metadata = { title: "Log in on another device", robots: { index: false } };

export default async function Page() {
  await connection();
  const { member } = await getViewer();
  if (!member) redirect("/login?next=/me/device");
  const token = await deviceLinkCookie.read();
  const anyLink = token ? await read((tx) => findDeviceLink(tx, token)) : null;
  const link = anyLink?.userId === member.id ? anyLink : null;
  return (
    <div className="wrap">
      <header className="page-head">
        <h1>Log in on another device</h1>
        <p className="lead">
          {token
            ? "Scan this with your other device and tap the button."
            : "Show a QR code here, scan it with your phone or tablet, and tap the button there."}{" "}
          Anyone who scans it is logged in as you, so don’t share it.
        </p>
      </header>
      <div className="me-device">
        {link && token ? (
          // A new code restarts the countdown.
          <ExpiringQrCode
            key={link.expiresAtMs}
            ms={link.expiresAtMs - DEVICE_LINK_TTL_MS + DEVICE_LINK_DISPLAY_MS - nowMs()}
          >
            <QrCode
              text={`${env.SITE_URL}/login/device?token=${token}`}
              label={`QR code that logs in as ${member.firstName}`}
            />
          </ExpiringQrCode>
        ) : (
          token && <p role="status">This code was used or has expired.</p>
        )}
        <div className="form-actions">
          <ActionButton action={showDeviceCode} loginNext="/me">
            {token ? "Show new QR code" : "Show QR code"}
          </ActionButton>
          <Link className="more" href="/me">
            Back to your account
          </Link>
        </div>
        <p className="muted me-note">
          Each code works once and expires after a minute. Without a camera, log in by email on the
          other device.
        </p>
      </div>
    </div>
  );
}
