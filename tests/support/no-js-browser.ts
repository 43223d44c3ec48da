// Implements a browser without JavaScript: keeps cookies, parses the forms of a page and submits
// them. For measurements and attacks, where a real browser would distort the result.

import { fromHtml } from "hast-util-from-html";
import type { Element } from "hast";
import { visit } from "unist-util-visit";

export interface Form {
  /** All fields with their values, including the hidden ones that address a server action. */
  readonly fields: [name: string, value: string][];
  /** Names of the fields that a user fills in. */
  readonly editableNames: readonly string[];
}

export interface BrowserResponse {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The path after redirects. */
  readonly path: string;
}

function readFieldValue(element: Element): string {
  if (element.tagName === "textarea")
    return element.children
      .map((child) => (child.type === "text" ? child.value : ""))
      .join("")
      .replace(/^\n/, "");
  return String(element.properties.value ?? "");
}

/** Returns the forms of a document that post to the page itself. */
export function parseForms(html: string): Form[] {
  const forms: Form[] = [];
  visit(fromHtml(html), "element", (form) => {
    if (form.tagName !== "form" || String(form.properties.method ?? "").toUpperCase() !== "POST")
      return;
    const fields: [string, string][] = [];
    const names = new Set<string>();
    visit(form, "element", (element) => {
      const { name, type, checked } = element.properties;
      if (!["input", "textarea", "select"].includes(element.tagName) || typeof name !== "string")
        return;
      if (element.tagName === "input" && type === "hidden") {
        fields.push([name, readFieldValue(element)]);
        return;
      }
      names.add(name);
      if (element.tagName === "input" && (type === "radio" || type === "checkbox") && !checked)
        return;
      fields.push([name, readFieldValue(element)]);
    });
    forms.push({ fields, editableNames: [...names] });
  });
  return forms;
}

/** Returns the first form with fields of all these names, hidden or not, or null. */
export function findForm(html: string, names: readonly string[]): Form | null {
  return (
    parseForms(html).find(({ fields, editableNames }) =>
      names.every(
        (name) => editableNames.includes(name) || fields.some(([field]) => field === name),
      ),
    ) ?? null
  );
}

function fillIn(form: Form, values: Readonly<Record<string, string>>): FormData {
  const data = new FormData();
  for (const [name, value] of form.fields)
    if (!Object.hasOwn(values, name)) data.append(name, value);
  for (const [name, value] of Object.entries(values)) data.append(name, value);
  return data;
}

/** Returns the multipart body of `form` with `values` filled in. */
export async function encodeForm(
  form: Form,
  values: Readonly<Record<string, string>>,
): Promise<{ body: Buffer; contentType: string }> {
  const encoded = new Response(fillIn(form, values));
  return {
    body: Buffer.from(await encoded.arrayBuffer()),
    contentType: encoded.headers.get("content-type")!,
  };
}

/** Stores cookies by name for one origin. Ignores paths and lifetimes. */
export class CookieJar extends Map<string, string> {
  /** Applies the values of Set-Cookie headers. */
  store(lines: readonly string[]): void {
    for (const line of lines) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value === "" || /;\s*max-age=0\b/i.test(line)) this.delete(name);
      else this.set(name, value);
    }
  }

  toHeaders(): { cookie?: string } {
    return this.size > 0 ? { cookie: [...this].map((pair) => pair.join("=")).join("; ") } : {};
  }
}

export class NoJsBrowser {
  readonly #origin: string;
  readonly #headers: Record<string, string>;
  readonly cookies = new CookieJar();

  /** `origin` is a URL such as http://localhost:3117. `headers` are sent with every request. */
  constructor(origin: string, headers: Record<string, string> = {}) {
    this.#origin = origin;
    this.#headers = {
      "user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
      ...headers,
    };
  }

  /** Sends one request; follows redirects unless `follow` is false. Rejects after `timeoutMs`. */
  async request(
    path: string,
    init: RequestInit = {},
    { follow = true, timeoutMs = 30_000 } = {},
  ): Promise<BrowserResponse> {
    const response = await fetch(new URL(path, this.#origin), {
      redirect: "manual",
      signal: AbortSignal.timeout(timeoutMs),
      ...init,
      headers: {
        ...this.#headers,
        ...this.cookies.toHeaders(),
        ...(init.headers as Record<string, string>),
      },
    });
    this.cookies.store(response.headers.getSetCookie());
    const location = response.headers.get("location");
    if (follow && location && response.status >= 300 && response.status < 400) {
      await response.arrayBuffer();
      const { pathname, search } = new URL(location, new URL(path, this.#origin));
      return this.request(pathname + search, {}, { follow, timeoutMs });
    }
    return {
      status: response.status,
      headers: response.headers,
      text: await response.text(),
      path,
    };
  }

  get(path: string): Promise<BrowserResponse> {
    return this.request(path);
  }

  /** Submits a form of the page at `path` with `values` filled in. */
  submitForm(
    path: string,
    form: Form,
    values: Record<string, string> = {},
    options: { follow?: boolean; headers?: Record<string, string> } = {},
  ): Promise<BrowserResponse> {
    return this.request(
      path,
      {
        method: "POST",
        body: fillIn(form, values),
        headers: { origin: this.#origin, "sec-fetch-site": "same-origin", ...options.headers },
      },
      options,
    );
  }
}
