// /admin/users/ID: one member, what they may be, what was done with them.

import { adminMetadata, requireAdminPage } from "../../require-admin-page.tsx";
import { editMember, revokeMemberSessions, deleteMember, changeMemberRole } from "../actions.ts";
import { setNotFoundStatus, NotFoundPage } from "../../../not-found-page.tsx";
import { AdminFrame } from "#components/admin/admin-frame.tsx";
import { AuditLogTable } from "#components/admin/audit-log-table.tsx";
import { TeamName } from "#components/admin/team-name.tsx";
import { Timestamp } from "#components/admin/timestamp.tsx";
import { TEAM_NAMES } from "#components/team/team-dot.tsx";
import { ActionForm } from "#components/ui/action-form.tsx";
import { Field, SelectField } from "#components/ui/form-fields.tsx";
import { ActionButton, SubmitButton } from "#components/ui/submit-button.tsx";
import { isAppError } from "#lib/core/errors.ts";
import { isRecentLogin } from "#lib/members/member.ts";
import { readSql } from "#lib/db/database.ts";
import { listAuditLog } from "#lib/members/audit-log.ts";
import { getUser } from "#lib/members/admin-users.ts";
import { readSessionCookies } from "#lib/members/viewer.ts";
import { TEAMS } from "#lib/reading/team.ts";

type Props = { params: Promise<{ id: string }> };

export async function generateMetadata({ params }: Props) {
  const { id } = await params;
  return adminMetadata((sql, admin) => getUser(sql, admin, id).firstName);
}

const CALL_STATE_LABELS: Record<string, string> = {
  NEW: "new",
  REVIEWING: "being reviewed",
  ANSWERED: "answered",
  PUBLISHED: "published",
  DECLINED: "declined",
};

export default async function UserPage({ params }: Props) {
  const { id } = await params;
  const path = `/admin/users/${encodeURIComponent(id)}`;
  const { admin, refused } = await requireAdminPage(path);
  if (!admin) return refused;
  const found = await readSql((sql) => {
    try {
      return { user: getUser(sql, admin, id), log: listAuditLog(sql, admin, { subjectId: id }) };
    } catch (error) {
      if (isAppError(error, "not_found")) return null;
      throw error;
    }
  });
  if (!found) {
    setNotFoundStatus();
    return <NotFoundPage identity={await readSessionCookies()} />;
  }
  const { user, log } = found;
  const isSelf = user.id === admin.id;
  const seen = { id: user.id, expectedUpdatedAt: String(user.updatedAt) };
  return (
    <AdminFrame current="users" title={user.firstName} lead={isSelf ? "This is you." : undefined}>
      <section className="desk-section" aria-labelledby="facts">
        <h2 id="facts">What there is</h2>
        <dl className="facts">
          <dt>Address</dt>
          <dd>{user.email}</dd>
          <dt>Team</dt>
          <dd>
            <TeamName team={user.team} />
          </dd>
          <dt>Role</dt>
          <dd>{user.role === "ADMIN" ? "Admin" : "Member"}</dd>
          <dt>Joined</dt>
          <dd>
            <Timestamp ms={user.createdAt} /> UTC
          </dd>
          <dt>Reads</dt>
          <dd className="figures">{user.readCount}</dd>
          <dt>Logged in</dt>
          <dd className="figures">
            {user.sessionCount === 0
              ? "nowhere"
              : user.sessionCount === 1
                ? "in one place"
                : `in ${user.sessionCount} places`}
            {user.lastSeenAt !== null && (
              <>
                , last seen <Timestamp ms={user.lastSeenAt} /> UTC
              </>
            )}
          </dd>
          <dt>Passkeys</dt>
          <dd className="figures">{user.passkeyCount}</dd>
        </dl>
      </section>

      <section className="desk-section" aria-labelledby="edit">
        <h2 id="edit">Name and team</h2>
        <ActionForm action={editMember} className="form" loginNext={path}>
          <input type="hidden" name="id" value={seen.id} />
          <input type="hidden" name="expectedUpdatedAt" value={seen.expectedUpdatedAt} />
          <Field
            name="firstName"
            label="First name"
            defaultValue={user.firstName}
            required
            maxLength={200}
            autoComplete="off"
          />
          <SelectField
            name="team"
            label="Team"
            hint="What they have read moves with them, and with it who leads what."
            defaultValue={user.team}
          >
            {TEAMS.map((team) => (
              <option key={team} value={team}>
                {TEAM_NAMES[team]}
              </option>
            ))}
          </SelectField>
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
                  <a href={`/admin/calls/${call.id}`}>{call.title}</a>
                  <small>
                    {CALL_STATE_LABELS[call.state] ?? call.state}, <Timestamp ms={call.createdAt} />{" "}
                    UTC
                  </small>
                </span>
              </li>
            ))}
          </ul>
        )}
      </section>

      <section className="desk-section" aria-labelledby="log">
        <h2 id="log">What was changed</h2>
        {log.events.length === 0 ? (
          <p className="muted">Nothing.</p>
        ) : (
          <AuditLogTable events={log.events} about={false} />
        )}
      </section>

      <section className="desk-section" aria-labelledby="power">
        <h2 id="power">Power and parting</h2>
        {!isRecentLogin(admin) && (
          <p className="form-message">
            You logged in more than fifteen minutes ago. For what follows,{" "}
            <a href={`/login?next=${encodeURIComponent(path)}`}>log in again</a>.
          </p>
        )}
        <ul className="rows">
          <li className="row">
            <span className="row-what">
              <strong>{user.role === "ADMIN" ? "Admin" : "Member"}</strong>
              <small>
                {user.isLastAdmin
                  ? "The last admin stays one: make somebody else an admin first."
                  : "With the role their sessions end: they log in again."}
              </small>
            </span>
            {!user.isLastAdmin && (
              <ActionButton
                action={changeMemberRole}
                fields={{ ...seen, role: user.role === "ADMIN" ? "MEMBER" : "ADMIN" }}
                loginNext={path}
              >
                {user.role === "ADMIN" ? "Make a member like others" : "Make an admin"}
              </ActionButton>
            )}
          </li>
          <li className="row">
            <span className="row-what">
              <strong>Sessions</strong>
              <small>
                Logs {isSelf ? "you" : "them"} out everywhere{isSelf ? ", here too" : ""}.
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
              hint="With everything of theirs: reads, calls, and the episodes made of them. Nobody can bring it back."
              required
              maxLength={300}
              autoComplete="off"
              autoCapitalize="none"
              spellCheck={false}
            />
            <div>
              <SubmitButton kind="danger">Delete for good</SubmitButton>
            </div>
          </ActionForm>
        )}
      </section>
    </AdminFrame>
  );
}
