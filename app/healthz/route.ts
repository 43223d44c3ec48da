// GET /healthz: that this process answers. Asks neither the database nor another machine: what is sick there is no reason to end this.

export const dynamic = "force-dynamic";

export function GET(): Response {
  return new Response("ok\n", {
    headers: { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" },
  });
}
