// Implements a browser without JavaScript that sends each request through a given region, from its
// own address.

import { Agent } from "node:http";
import { CookieJar, type Form, encodeForm, findForm } from "#tests/support/no-js-browser.ts";
import type { Cluster } from "#cli/cluster/cluster.ts";
import {
  type VisitorRequest,
  type VisitorResponse,
  nextAddress,
  sendRequest,
} from "./browser-visitor.ts";

export class ClusterClient {
  readonly cookies: CookieJar;
  readonly #cluster: Cluster;
  readonly #agent = new Agent({ keepAlive: true, localAddress: nextAddress() });

  constructor(cluster: Cluster, cookies: Readonly<Record<string, string>> = {}) {
    this.#cluster = cluster;
    this.cookies = new CookieJar(Object.entries(cookies));
  }

  /**
   * Sends one request through the edge of `region` and follows no redirect. Rejects after
   * `timeoutMs` (30 s).
   */
  async request(
    region: string,
    path: string,
    { headers, body, ...options }: VisitorRequest = {},
  ): Promise<VisitorResponse> {
    const origin = this.#cluster.getEdgeUrl(region);
    const response = await sendRequest(origin + path, {
      ...options,
      body,
      agent: this.#agent,
      headers: {
        ...this.cookies.toHeaders(),
        ...(body !== undefined && {
          origin,
          "sec-fetch-site": "same-origin",
          "content-length": String(Buffer.byteLength(body)),
        }),
        ...headers,
      },
    });
    this.cookies.store(response.headers["set-cookie"] ?? []);
    return response;
  }

  /** Sends `form` of the page at `path` with `values` filled in. */
  async submitForm(
    region: string,
    path: string,
    form: Form,
    values: Readonly<Record<string, string>>,
    options: VisitorRequest = {},
  ): Promise<VisitorResponse> {
    const { body, contentType } = await encodeForm(form, values);
    return this.request(region, path, {
      ...options,
      method: "POST",
      body,
      headers: { ...options.headers, "content-type": contentType },
    });
  }

  /** Returns the form with fields of these names from the page at `path`. Throws without one. */
  async findForm(region: string, path: string, names: readonly string[]): Promise<Form> {
    const { status, text } = await this.request(region, path);
    const form = findForm(text, names);
    if (!form) throw new Error(`${path} (${status}) has no form with ${names.join(", ")}.`);
    return form;
  }

  /** Returns the transaction id in this client's txid cookie, or null. */
  readTxid(): number | null {
    const value = this.cookies.get("txid");
    return value ? Number.parseInt(value.split(".")[0]!, 36) : null;
  }

  /** Closes its connections. */
  close(): void {
    this.#agent.destroy();
  }
}
