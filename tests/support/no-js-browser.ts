// A browser without scripts: keeps cookies, reads the forms of a page and sends them as HTML says. For measurements and attacks,
// where a real browser would be what is measured.

import { fromHtml } from "hast-util-from-html";
import type { Element } from "hast";
import { visit } from "unist-util-visit";

export interface Form {
  /** What stands in its fields, hidden ones too: the address of a server action is among them. */
  readonly fields: [name: string, value: string][];
  /** Names that somebody would fill in. */
  readonly editableNames: readonly string[];
}

export interface BrowserResponse {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The address, after redirects. */
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

/** The forms of a document that post to the page itself. */
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

export class NoJsBrowser {
  readonly #origin: string;
  readonly #headers: Record<string, string>;
  readonly cookies = new Map<string, string>();

  /** `origin` such as http://localhost:3117; `headers` go with every request. */
  constructor(origin: string, headers: Record<string, string> = {}) {
    this.#origin = origin;
    this.#headers = {
      "user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
      ...headers,
    };
  }

  /** One request; redirects are followed unless `follow` is false. Rejects when it takes longer than `timeoutMs`. */
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
        ...(this.cookies.size > 0 && {
          cookie: [...this.cookies].map((pair) => pair.join("=")).join("; "),
        }),
        ...(init.headers as Record<string, string>),
      },
    });
    for (const line of response.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value === "" || /;\s*max-age=0\b/i.test(line)) this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
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

  /** Sends a form of the page at `path` with `values` filled in. */
  submitForm(
    path: string,
    form: Form,
    values: Record<string, string> = {},
    options: { follow?: boolean; headers?: Record<string, string> } = {},
  ): Promise<BrowserResponse> {
    const body = new FormData();
    for (const [name, value] of form.fields)
      if (!Object.hasOwn(values, name)) body.append(name, value);
    for (const [name, value] of Object.entries(values)) body.append(name, value);
    return this.request(
      path,
      {
        method: "POST",
        body,
        headers: { origin: this.#origin, "sec-fetch-site": "same-origin", ...options.headers },
      },
      options,
    );
  }

  /** Opens a page and sends its first form that has all of `values`' fields. Throws when there is none. */
  async fillAndSubmit(path: string, values: Record<string, string>): Promise<BrowserResponse> {
    const page = await this.get(path);
    const form = parseForms(page.text).find(({ fields, editableNames }) =>
      Object.keys(values).every(
        (name) => editableNames.includes(name) || fields.some(([known]) => known === name),
      ),
    );
    if (!form)
      throw new Error(
        `${page.path} (${page.status}) has no form with ${Object.keys(values).join(", ")}`,
      );
    return this.submitForm(page.path, form, values);
  }
}
