// Renders the live region that says whether copying worked (copy-buttons.ts).

import type { Messages } from "#lib/core/messages/en.ts";

export const CopyStatus = ({ copied, copyFailed }: Pick<Messages, "copied" | "copyFailed">) => (
  <p
    className="visually-hidden"
    role="status"
    data-copied-text={copied}
    data-copy-failed={copyFailed}
  />
);
