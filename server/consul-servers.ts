// Parses FLY_CONSUL_URL, the URL of one Consul server or of several, separated by commas.

export interface ConsulServers {
  /** Protocol, host and port of each URL. */
  readonly origins: readonly URL[];
  /** The ACL token, as it is encoded in the URLs; empty without one. */
  readonly token: string;
  /** The path of all URLs without the last slash, a prefix of all keys. */
  readonly path: string;
}

/**
 * Returns the servers. Throws an Error whose message continues "FLY_CONSUL_URL: ", and does not
 * contain the token.
 */
export function parseConsulUrls(text: string): ConsulServers {
  const urls = text.split(",").map((each) => {
    if (!URL.canParse(each.trim()))
      throw new Error(
        "must be a URL, such as http://127.0.0.1:8500, or several with commas between them",
      );
    return new URL(each.trim());
  });
  const [first] = urls;
  if (urls.some(({ protocol }) => !["http:", "https:"].includes(protocol)))
    throw new Error("every URL must start with http:// or https://");
  if (urls.some(({ password }) => password !== first!.password))
    throw new Error("every URL must have the same token, because the servers share their data");
  const path = first!.pathname.replace(/\/+$/, "");
  if (urls.some(({ pathname }) => pathname.replace(/\/+$/, "") !== path))
    throw new Error("every URL must have the same path, because the servers share their data");
  return { origins: urls.map(({ origin }) => new URL(origin)), token: first!.password, path };
}
