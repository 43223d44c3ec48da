// Renders an empty dynamic page: the framework's baseline for a page.

import { connection } from "next/server";

export default async function Page() {
  await connection();
  return <p>Nothing</p>;
}
