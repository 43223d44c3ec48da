// Creates cookies like source sites do. lib/members/legacy-cookies.test.ts compares them with
// values from Remix's and Express's packages.

import { createHmac } from "node:crypto";

const signText = (text: string, secret: string) =>
  createHmac("sha256", secret).update(text).digest("base64").replace(/=+$/, "");

/**
 * Returns the decoded value of a cookie from createCookie or createCookieSessionStorage (Remix,
 * React Router).
 */
export function createLegacyCookie(data: unknown, secret: string): string {
  const text = Buffer.from(JSON.stringify(data)).toString("base64");
  return `${text}.${signText(text, secret)}`;
}

/** Returns the decoded value of a cookie from cookie-signature (Express). */
export function createLegacyExpressCookie(id: string, secret: string): string {
  return `s:${id}.${signText(id, secret)}`;
}
