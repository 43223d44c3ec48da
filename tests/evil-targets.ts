// Where a stranger's ?next= would like to lead, for every place that takes one.

export const EVIL_TARGETS: readonly unknown[] = [
  "//evil.example", "///evil.example", "/\\evil.example", "\\evil.example", "/%5Cevil.example", "/%5cevil.example", "https://evil.example", "javascript:alert(1)", "evil.example",
  "/\t/evil.example", "/\n/evil.example", "/%09/evil.example", "/%0d%0aLocation:x", "/x\r\nSet-Cookie: a=b", "/.//evil.example", "/..//evil.example", "", " /me", "/é", null, undefined, 7, ["/me"], `/${"a".repeat(2_000)}`,
];
