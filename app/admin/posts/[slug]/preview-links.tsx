// Renders the preview links of a post, and the form that creates one.

import { createPreview, withdrawPreview } from "../actions.ts";
import { adminPostPath } from "../load-admin-posts.ts";
import { Timestamp } from "#components/admin/timestamp.tsx";
import { ActionForm } from "#components/ui/action-form.tsx";
import { FocusOnSuccess } from "#components/ui/focus-on-success.tsx";
import { SelectField } from "#components/ui/form-fields.tsx";
import { SubmitButton } from "#components/ui/submit-button.tsx";
import { env } from "#lib/core/env.ts";
import { pluralize } from "#lib/core/format.ts";
import { PREVIEW_DAYS, type PreviewLink, previewPath } from "#lib/posts/preview-links.ts";

const WITHDRAW_FORM_ID = "withdraw-preview";

interface Props {
  readonly slug: string;
  readonly links: readonly PreviewLink[];
  /** False for a draft that anyone can read at its address. */
  readonly isHidden: boolean;
}

export function PreviewLinks({ slug, links, isHidden }: Props) {
  const path = adminPostPath(slug);
  return (
    <section className="desk-section" aria-labelledby="previews">
      <h2 id="previews">Preview links</h2>
      <p className="me-note">
        Anyone with a link can read this post until the link expires or you withdraw it.
        {!isHidden &&
          " This draft can also be read at its address. To hide drafts, set content.drafts to “private” in site.config.ts."}
      </p>
      {links.length > 0 && (
        <ul className="rows">
          {links.map(({ id, createdAtMs, expiresAtMs }) => {
            const url = env.SITE_URL + previewPath(id);
            return (
              <li className="row" key={id}>
                <div className="row-what">
                  <a className="preview-link" href={url}>
                    {url}
                  </a>
                  <small>
                    Created <Timestamp ms={createdAtMs} />, expires <Timestamp ms={expiresAtMs} />{" "}
                    UTC
                  </small>
                </div>
                <div className="form-actions">
                  <button type="button" className="button needs-script" data-copy={url}>
                    Copy
                  </button>
                  <SubmitButton kind="plain" form={WITHDRAW_FORM_ID} name="id" value={id}>
                    Withdraw
                  </SubmitButton>
                </div>
              </li>
            );
          })}
        </ul>
      )}
      {/* Below the list, so that its message stays after the row is removed. */}
      <ActionForm action={withdrawPreview} id={WITHDRAW_FORM_ID} loginNext={path}>
        <FocusOnSuccess />
      </ActionForm>
      <ActionForm action={createPreview} className="form" loginNext={path}>
        <input type="hidden" name="slug" value={slug} />
        <SelectField name="days" label="Works for" defaultValue="7">
          {PREVIEW_DAYS.map((days) => (
            <option key={days} value={days}>
              {pluralize(days, "day")}
            </option>
          ))}
        </SelectField>
        <div>
          <SubmitButton kind="plain">Create link</SubmitButton>
        </div>
      </ActionForm>
    </section>
  );
}
