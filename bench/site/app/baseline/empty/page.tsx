// Renders a dynamic page with nothing on it: the framework's floor for a page.

import { connection } from "next/server";

export default async function Page() {
  await connection();
  return <p>Nothing</p>;
}
