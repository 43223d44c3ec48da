// Redacts an SMTP server's reply, which often contains the recipient's address.

const MAX_LENGTH = 300;

/** Returns the reply without email addresses, truncated, so that it can be logged and stored. */
export const redactAddresses = (reply: string): string =>
  reply.replace(/[^\s<>"'(]+@[^\s<>"'),;:]+/g, "the address").slice(0, MAX_LENGTH);
