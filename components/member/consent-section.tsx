// Shows what the member has agreed to, with a switch for each.

import { type FormAction, ActionForm } from "#components/ui/action-form.tsx";
import { SubmitButton } from "#components/ui/submit-button.tsx";
import type { Purpose } from "#lib/members/consent.ts";
import { CONSENT_LABELS } from "./consent-labels.ts";
import { MeSection } from "./me-section.tsx";

/** Says that a member is on the list from before consent was asked for. */
const LISTED_BEFORE =
  "Your address was added to the newsletter’s list before we asked. You can remove it here.";

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
}: {
  action: FormAction;
  purposes: readonly Purpose[];
  consents: ReadonlySet<Purpose>;
  isSubscribed: boolean;
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
    </MeSection>
  );
}
