// Stands for next/headers in tests of handlers and actions, since Next's own works only inside Next: the request that is being sent.
// Use: vi.mock("next/headers", () => import("#tests/next-headers.ts")).

/** What is sent: the Cookie header as it is written, and the headers. */
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
