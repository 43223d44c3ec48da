// Renders content/pages/how-we-count.

import { connection } from "next/server";
import { renderTextPage, textPageMetadata } from "#app/(text)/render-text-page.tsx";

export async function generateMetadata() {
  await connection();
  return textPageMetadata("how-we-count");
}

export default async function Page() {
  await connection();
  return renderTextPage("how-we-count");
}
