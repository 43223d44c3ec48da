// The framework's floor: a dynamic page with nothing on it. Part of bench builds only.

import { connection } from "next/server";

export default async function Page() {
  await connection();
  return <p>Nothing</p>;
}
