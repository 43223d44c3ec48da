// Replaces next/headers in unit tests, because Next's own works only inside Next.
// Use: vi.mock("next/headers", () => import("#tests/support/next-headers.ts")).

/** The request that handlers and actions read: its Cookie header and its other headers. */
export const currentRequest: { cookie: string; headers: Record<string, string> } = {
  cookie: "",
  headers: {},
};

export async function cookies() {
  return {
    get(name: string) {
      const pair = currentRequest.cookie.split("; ").find((each) => each.startsWith(`${name}=`));
      return pair === undefined
        ? undefined
        : { name, value: decodeURIComponent(pair.slice(name.length + 1)) };
    },
  };
}

export async function headers(): Promise<Headers> {
  return new Headers(currentRequest.headers);
}
