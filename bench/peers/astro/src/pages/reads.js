import { countRead } from "../database.js";

export async function POST({ request }) {
  return new Response(null, { status: countRead(await request.json()) ? 204 : 409 });
}
