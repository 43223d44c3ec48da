// GET /healthz: liveness. Checks neither the database nor other machines: a restart would not help them.

export const dynamic = "force-dynamic";

export function GET(): Response {
  return new Response("ok\n", {
    headers: { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" },
  });
}
