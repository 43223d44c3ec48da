// Signs requests to S3-compatible stores with AWS Signature Version 4
// (docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html).

import { createHash, createHmac } from "node:crypto";

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;
}

const sha256 = (data: string | Buffer): string => createHash("sha256").update(data).digest("hex");
const hmac = (key: string | Buffer, data: string): Buffer =>
  createHmac("sha256", key).update(data).digest();

/** Encodes as RFC 3986 does, which leaves fewer characters than encodeURIComponent(). */
const encode = (text: string): string =>
  encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );

/**
 * Returns the headers that authenticate a request. The host, the path and the query of `url`, and
 * the body, are signed. `path` segments must need no escaping.
 */
export function signRequest(
  { method, url, body }: { method: string; url: URL; body?: Buffer },
  { accessKeyId, secretAccessKey, region }: Credentials,
  now: Date,
): Record<string, string> {
  const time = `${now.toISOString().replace(/[-:]|\.\d+/g, "")}`;
  const day = time.slice(0, 8);
  const headers = {
    host: url.host,
    "x-amz-content-sha256": sha256(body ?? ""),
    "x-amz-date": time,
  };
  const signedHeaders = Object.keys(headers).join(";");
  const query = [...url.searchParams]
    .map(([key, value]) => `${encode(key)}=${encode(value)}`)
    .sort()
    .join("&");
  const canonicalRequest = [
    method,
    url.pathname,
    query,
    ...Object.entries(headers).map(([key, value]) => `${key}:${value}`),
    "",
    signedHeaders,
    headers["x-amz-content-sha256"],
  ].join("\n");
  const scope = `${day}/${region}/s3/aws4_request`;
  const key = [day, region, "s3", "aws4_request"].reduce<string | Buffer>(
    hmac,
    `AWS4${secretAccessKey}`,
  );
  const signature = hmac(
    key as Buffer,
    ["AWS4-HMAC-SHA256", time, scope, sha256(canonicalRequest)].join("\n"),
  ).toString("hex");
  return {
    ...headers,
    authorization: `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope},SignedHeaders=${signedHeaders},Signature=${signature}`,
  };
}
