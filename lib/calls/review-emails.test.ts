import { expect, test } from "vitest";
import { declinedEmail, publishedEmail } from "./review-emails.ts";

const recipient = { email: "ada@example.test", firstName: "Ada", title: "Why no Redis?" };
const text = (email: { parts: readonly unknown[] }) => JSON.stringify(email.parts);

test("emails about a recording mention voice and recording", () => {
  expect(
    text(publishedEmail({ ...recipient, isTyped: false }, { number: 2, slug: "2-redis" })),
  ).toContain("with your first name and your voice.");
  expect(text(declinedEmail({ ...recipient, isTyped: false }, "Asked before."))).toContain(
    "You can still listen to it",
  );
});

test("emails about a typed question mention neither voice nor recording", () => {
  const published = text(
    publishedEmail({ ...recipient, isTyped: true }, { number: 2, slug: "2-redis" }),
  );
  const declined = text(declinedEmail({ ...recipient, isTyped: true }, "Asked before."));
  expect(published).toContain("your question as you wrote it.");
  expect(declined).toContain("You can still see or delete it");
  for (const email of [published, declined]) expect(email).not.toMatch(/voice|recording/i);
});
