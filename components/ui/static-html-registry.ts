// Passes static HTML from the code that renders a page to the code that writes its document: same
// request, different bundle.
// So the document contains each text once, as elements, and not again as data for React.

import { peekSingleton, singleton } from "#lib/core/singleton.ts";

interface DocumentRequest {
  readonly headers: Readonly<Record<string, unknown>>;
}
interface RequestStorage {
  getStore(): { readonly request: DocumentRequest } | undefined;
}

// Not imported from lib/core/request-context.ts: that needs node:async_hooks, which the browser lacks.
function currentRequest(): DocumentRequest | undefined {
  return peekSingleton<RequestStorage>("request-context")?.getStore()?.request;
}

function htmlByRequest(): WeakMap<DocumentRequest, string[]> {
  return singleton("static-html", () => new WeakMap<DocumentRequest, string[]>());
}

/** Registers `html` for this request's document and returns its index; null if no document is written. */
export function registerHtml(html: string): number | null {
  const request = currentRequest();
  // A request for React's data alone has no document.
  if (!request || request.headers.rsc) return null;
  const runs = htmlByRequest().get(request) ?? [];
  htmlByRequest().set(request, runs);
  return runs.push(html) - 1;
}

/** Returns the HTML at `index` of this request's document; "" in the browser. */
export function registeredHtmlAt(index: number): string {
  const request = currentRequest();
  return (request && htmlByRequest().get(request)?.[index]) ?? "";
}
