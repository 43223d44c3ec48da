// Cookies as the site before made them. lib/members/legacy-cookies.test.ts holds these to values that Remix' and Express' own packages gave.

import { createHmac } from "node:crypto";

const signText = (text: string, secret: string) =>
  createHmac("sha256", secret).update(text).digest("base64").replace(/=+$/, "");

/** The value, decoded, of a cookie made by createCookie or createCookieSessionStorage (Remix, React Router). */
export function createLegacyCookie(data: unknown, secret: string): string {
  const text = Buffer.from(JSON.stringify(data)).toString("base64");
  return `${text}.${signText(text, secret)}`;
}

/** The same of one signed by cookie-signature (Express). */
export function createLegacyExpressCookie(id: string, secret: string): string {
  return `s:${id}.${signText(id, secret)}`;
}
