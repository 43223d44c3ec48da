import { renderToStaticMarkup } from "react-dom/server";
import { expect, test } from "vitest";
import { AuditLogTable } from "./audit-log-table.tsx";
import { DataTable } from "./data-table.tsx";

const render = () =>
  renderToStaticMarkup(
    <DataTable
      label="Posts"
      rows={[{ slug: "a", reads: 3 }]}
      keyOf={({ slug }) => slug}
      rowClass={({ slug }) => `row-${slug}`}
      columns={[
        { label: "Post", render: ({ slug }) => <b>{slug}</b>, sortHref: "/?sort=post" },
        { label: "Reads", kind: "number", render: ({ reads }) => reads, sorted: "descending" },
        { label: "Delete", isLabelHidden: true, render: () => <button>Delete a</button> },
      ]}
    />,
  );

test("each cell names its column, except for the row's name and buttons", () => {
  expect(render()).toContain(
    '<tbody><tr class="row-a"><th scope="row"><b>a</b></th><td class="number" data-label="Reads">3</td><td><button>Delete a</button></td></tr></tbody>',
  );
});

test("the head has links to sort by, and says which column sorts the rows", () => {
  expect(render()).toContain(
    '<thead><tr><th scope="col"><a href="/?sort=post">Post</a></th><th scope="col" class="number" aria-sort="descending"><span>Reads</span></th><th scope="col"><span class="visually-hidden">Delete</span></th></tr></thead>',
  );
});

test.each([
  ["user.role", "Command line"],
  ["subscriber.bounce", "The site"],
  ["backup.alert", "The site"],
])("without a member, the log says who caused %s: %s", (action, actor) => {
  const event = {
    id: 1,
    createdAt: new Date(0),
    actorId: null,
    actorName: null,
    action,
    subjectId: "x",
    subjectName: null,
    detail: {},
  };
  expect(renderToStaticMarkup(<AuditLogTable events={[event]} />)).toContain(
    `<td data-label="Who">${actor}</td>`,
  );
});
