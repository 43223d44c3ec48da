// Ready HTML on its way from where a post is rendered to where its document is written: the same request, another bundle.
// So the document holds each text once, as elements, and not a second time as data for React.

interface DocumentRequest {
  readonly headers: Readonly<Record<string, unknown>>;
}

// lib/core/request-context.ts keeps the request there for every bundle; the browser has none.
const processGlobals = globalThis as {
  __lecternRequests?: { getStore(): { readonly request: DocumentRequest } | undefined };
  __lecternHtml?: WeakMap<DocumentRequest, string[]>;
};

/** Keeps `html` for the document of this request and returns its place there; null where no document is being written. */
export function registerHtml(html: string): number | null {
  const request = processGlobals.__lecternRequests?.getStore()?.request;
  // A request for React's data alone has no document.
  if (!request || request.headers.rsc) return null;
  const kept = (processGlobals.__lecternHtml ??= new WeakMap());
  const runs = kept.get(request) ?? [];
  kept.set(request, runs);
  return runs.push(html) - 1;
}

/** The text at `place` of this request's document; "" in the browser. */
export function registeredHtmlAt(place: number): string {
  const request = processGlobals.__lecternRequests?.getStore()?.request;
  return (request && processGlobals.__lecternHtml?.get(request)?.[place]) ?? "";
}
