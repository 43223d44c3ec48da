// Renders content/pages/about.

import { connection } from "next/server";
import { renderTextPage, textPageMetadata } from "#app/(text)/render-text-page.tsx";

export async function generateMetadata() {
  await connection();
  return textPageMetadata("about");
}

export default async function Page() {
  await connection();
  return renderTextPage("about");
}
