import { expect, test } from "vitest";
import { declinedEmail, publishedEmail } from "./review-emails.ts";

const to = { email: "ada@example.test", firstName: "Ada", title: "Why no Redis?" };
const text = (mail: { parts: readonly unknown[] }) => JSON.stringify(mail.parts);

test("who spoke is told of their voice and their recording", () => {
  expect(text(publishedEmail({ ...to, isTyped: false }, { number: 2, slug: "2-redis" }))).toContain(
    "with your first name and your voice, for everybody to hear.",
  );
  expect(text(declinedEmail({ ...to, isTyped: false }, "Asked before."))).toContain(
    "Your recording stays with you",
  );
});

test("who wrote is told of what they wrote, and of no voice and no recording", () => {
  const published = text(publishedEmail({ ...to, isTyped: true }, { number: 2, slug: "2-redis" }));
  const declined = text(declinedEmail({ ...to, isTyped: true }, "Asked before."));
  expect(published).toContain("your question as you wrote it, for everybody to read and hear.");
  expect(declined).toContain("Your question stays with you");
  for (const said of [published, declined]) expect(said).not.toMatch(/voice|recording/i);
});
