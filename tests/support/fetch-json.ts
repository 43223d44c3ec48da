// Fetches JSON from servers that tests start.

/** Returns the body of a GET as JSON, unvalidated. Rejects after 20 seconds. */
export async function fetchJson<Body>(url: string): Promise<Body> {
  const response = await fetch(url, { signal: AbortSignal.timeout(20_000) });
  return (await response.json()) as Body;
}
