// Renders /admin/users/ID: a member's profile, role, calls and activity.

import { adminMetadata, requireAdminPage } from "../../require-admin-page.tsx";
import { editMember, revokeMemberSessions, deleteMember, changeMemberRole } from "../actions.ts";
import { renderNotFound } from "../../../not-found-page.tsx";
import { AdminLayout } from "#components/admin/admin-layout.tsx";
import { AuditLogTable } from "#components/admin/audit-log-table.tsx";
import { siteConfig } from "#lib/core/site-config.ts";
import { TeamName } from "#components/admin/team-name.tsx";
import { Timestamp } from "#components/admin/timestamp.tsx";
import { VersionField } from "#components/admin/version-field.tsx";
import { teamName } from "#lib/reading/team-profile.ts";
import { CALL_STATE_LABELS } from "#components/call/call-state-label.tsx";
import { ActionForm } from "#components/ui/action-form.tsx";
import { Field, SelectField } from "#components/ui/form-fields.tsx";
import { ActionButton, SubmitButton } from "#components/ui/submit-button.tsx";
import { nullIfNotFound } from "#lib/core/errors.ts";
import { isRecentLogin } from "#lib/members/member.ts";
import { read } from "#lib/db/database.ts";
import { decodeParam } from "#lib/http/search-params.ts";
import { listAuditLog } from "#lib/members/audit-log.ts";
import { getUser } from "#lib/members/admin-users.ts";
import { readSessionCookies } from "#lib/members/viewer.ts";
import { TEAMS } from "#lib/reading/team.ts";

type Props = { params: Promise<{ id: string }> };

export async function generateMetadata({ params }: Props) {
  const id = decodeParam((await params).id);
  return adminMetadata(async (tx, admin) => (await getUser(tx, admin, id)).firstName);
}

export default async function UserPage({ params }: Props) {
  const id = decodeParam((await params).id);
  const path = `/admin/users/${encodeURIComponent(id)}`;
  const { admin, notFoundPage } = await requireAdminPage(path);
  if (!admin) return notFoundPage;
  const data = await nullIfNotFound(
    read(async (tx) => ({
      user: await getUser(tx, admin, id),
      log: await listAuditLog(tx, admin, { subjectId: id }),
    })),
  );
  if (!data) return renderNotFound(await readSessionCookies());
  const { user, log } = data;
  const isSelf = user.id === admin.id;
  const version = { id: user.id, expectedVersion: String(user.updatedAt.getTime()) };
  return (
    <AdminLayout current="users" title={user.firstName} lead={isSelf ? "This is you." : undefined}>
      <section className="desk-section" aria-labelledby="facts">
        <h2 id="facts">Overview</h2>
        <dl className="facts">
          <dt>Email</dt>
          <dd>{user.email}</dd>
          {siteConfig.features.teams && (
            <>
              <dt>Team</dt>
              <dd>
                <TeamName team={user.team} />
              </dd>
            </>
          )}
          <dt>Role</dt>
          <dd>{user.role === "ADMIN" ? "Admin" : "Member"}</dd>
          <dt>Joined</dt>
          <dd>
            <Timestamp ms={user.createdAt.getTime()} /> UTC
          </dd>
          <dt>Reads</dt>
          <dd className="figures">{user.readCount}</dd>
          <dt>Logged in</dt>
          <dd className="figures">
            {user.sessionCount === 0
              ? "No"
              : user.sessionCount === 1
                ? "1 device"
                : `${user.sessionCount} devices`}
            {user.lastSeenAt !== null && (
              <>
                , last seen <Timestamp ms={user.lastSeenAt.getTime()} /> UTC
              </>
            )}
          </dd>
          <dt>Passkeys</dt>
          <dd className="figures">{user.passkeyCount}</dd>
        </dl>
      </section>

      <section className="desk-section" aria-labelledby="edit">
        <h2 id="edit">{siteConfig.features.teams ? "Name and team" : "Name"}</h2>
        <ActionForm action={editMember} className="form" loginNext={path}>
          <input type="hidden" name="id" value={version.id} />
          <VersionField name="expectedVersion" value={version.expectedVersion} />
          <Field
            name="firstName"
            label="First name"
            defaultValue={user.firstName}
            required
            maxLength={200}
            autoComplete="off"
          />
          {siteConfig.features.teams ? (
            <SelectField
              name="team"
              label="Team"
              hint="Their reads move with them and may change who leads."
              defaultValue={user.team}
            >
              {TEAMS.map((team) => (
                <option key={team} value={team}>
                  {teamName(team)}
                </option>
              ))}
            </SelectField>
          ) : (
            <input type="hidden" name="team" value={user.team} />
          )}
          <div>
            <SubmitButton>Save</SubmitButton>
          </div>
        </ActionForm>
      </section>

      <section className="desk-section" aria-labelledby="calls">
        <h2 id="calls">Calls</h2>
        {user.callList.length === 0 ? (
          <p className="muted">None.</p>
        ) : (
          <ul className="rows">
            {user.callList.map((call) => (
              <li className="row" key={call.id}>
                <span className="row-what">
                  <a href={`/admin/calls/${encodeURIComponent(call.id)}`}>{call.title}</a>
                  <small>
                    {CALL_STATE_LABELS[call.state]}, <Timestamp ms={call.createdAt.getTime()} /> UTC
                  </small>
                </span>
              </li>
            ))}
          </ul>
        )}
        {user.callCount > user.callList.length && (
          <p className="muted">Showing the newest {user.callList.length}.</p>
        )}
      </section>

      <section className="desk-section" aria-labelledby="log">
        <h2 id="log">Activity</h2>
        {log.events.length === 0 ? (
          <p className="muted">None.</p>
        ) : (
          <AuditLogTable events={log.events} showSubject={false} />
        )}
      </section>

      <section className="desk-section" aria-labelledby="danger">
        <h2 id="danger">Role and deletion</h2>
        {!isRecentLogin(admin) && (
          <p className="form-message">
            You logged in more than 15 minutes ago. To make changes here,{" "}
            <a href={`/login?next=${encodeURIComponent(path)}`}>log in again</a>.
          </p>
        )}
        <ul className="rows">
          <li className="row">
            <span className="row-what">
              <strong>{user.role === "ADMIN" ? "Admin" : "Member"}</strong>
              {user.isLastAdmin && <small>You can’t remove the last admin.</small>}
            </span>
            {!user.isLastAdmin && (
              <ActionButton
                action={changeMemberRole}
                fields={{ ...version, role: user.role === "ADMIN" ? "MEMBER" : "ADMIN" }}
                loginNext={path}
                consequences={
                  user.role === "ADMIN"
                    ? "Removes their access to the admin pages, and logs them out everywhere."
                    : "Lets them see and change everything, and logs them out everywhere."
                }
              >
                {user.role === "ADMIN" ? "Remove admin role" : "Make an admin"}
              </ActionButton>
            )}
          </li>
          <li className="row">
            <span className="row-what">
              <strong>Sessions</strong>
              <small>
                Logs {isSelf ? "you" : "them"} out on all devices
                {isSelf ? ", including this one" : ""}.
              </small>
            </span>
            <ActionButton action={revokeMemberSessions} fields={{ id: user.id }} loginNext={path}>
              Log out everywhere
            </ActionButton>
          </li>
        </ul>
        {!user.isLastAdmin && (
          <ActionForm action={deleteMember} className="form" loginNext={path}>
            <input type="hidden" name="id" value={user.id} />
            <Field
              name="typed"
              label={`Type ${user.email} to delete ${isSelf ? "your account" : "this member"}`}
              hint="Permanently deletes their reads, calls and episodes."
              required
              maxLength={300}
              autoComplete="off"
              autoCapitalize="none"
              spellCheck={false}
            />
            <div>
              <SubmitButton kind="danger">Delete member</SubmitButton>
            </div>
          </ActionForm>
        )}
      </section>
    </AdminLayout>
  );
}
