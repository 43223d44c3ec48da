// Shows what the member has agreed to, with a switch for each.

import type { ReactNode } from "react";
import { type FormAction, ActionForm } from "#components/ui/action-form.tsx";
import { SubmitButton } from "#components/ui/submit-button.tsx";
import type { Purpose } from "#lib/members/consent.ts";
import { CONSENT_LABELS } from "./consent-labels.ts";
import { MeSection } from "./me-section.tsx";

/** For members who joined the list before the site asked for consent. */
const LISTED_BEFORE =
  "You were added to the newsletter before we asked for consent. You can unsubscribe here.";

function ConsentForm({
  action,
  purpose,
  isGranted,
  isListed,
}: {
  action: FormAction;
  purpose: Purpose;
  isGranted: boolean;
  isListed: boolean;
}) {
  const isOn = isGranted || isListed;
  const isNewsletter = purpose === "NEWSLETTER";
  return (
    <ActionForm action={action} className="form" loginNext="/me">
      <input type="hidden" name="purpose" value={purpose} />
      <input type="hidden" name="isGranted" value={isOn ? "no" : "yes"} />
      <p className="me-note">
        {isListed && !isGranted ? LISTED_BEFORE : CONSENT_LABELS[purpose]}{" "}
        <strong>{isOn ? "On" : "Off"}</strong>
      </p>
      <div className="form-actions">
        <SubmitButton kind="plain">
          {isNewsletter
            ? isOn
              ? "Unsubscribe"
              : "Subscribe"
            : isOn
              ? "Don’t announce me"
              : "Announce me"}
        </SubmitButton>
      </div>
    </ActionForm>
  );
}

/** Renders nothing if the site has neither a newsletter nor Discord. */
export function ConsentSection({
  action,
  purposes,
  consents,
  isSubscribed,
  children,
}: {
  action: FormAction;
  purposes: readonly Purpose[];
  consents: ReadonlySet<Purpose>;
  isSubscribed: boolean;
  /** Rendered at the end: the topic checkboxes. */
  children?: ReactNode;
}) {
  if (purposes.length === 0) return null;
  return (
    <MeSection id="consent" title="What you agreed to">
      {purposes.map((purpose) => (
        <ConsentForm
          key={purpose}
          action={action}
          purpose={purpose}
          isGranted={consents.has(purpose)}
          isListed={purpose === "NEWSLETTER" && isSubscribed}
        />
      ))}
      {children}
    </MeSection>
  );
}
