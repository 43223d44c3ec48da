// GET /healthz: liveness. Does not check the database or other machines, because a restart would not fix those.

export const dynamic = "force-dynamic";

export function GET(): Response {
  return new Response("ok\n", {
    headers: { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" },
  });
}
