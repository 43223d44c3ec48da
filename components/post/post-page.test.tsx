import { renderToStaticMarkup } from "react-dom/server";
import { expect, test } from "vitest";
import { samplePost, type SamplePost } from "#tests/support/sample-posts.ts";
import { PostPage } from "./post-page.tsx";

const pageOf = (fields: SamplePost) =>
  renderToStaticMarkup(
    <PostPage
      post={samplePost({ date: "2026-11-01", ...fields })}
      series={null}
      standings={null}
      recommendations={null}
      url="https://lectern.example/blog/a"
      editUrl={null}
      discussUrl={null}
      author={{ name: "Ada", links: [] }}
    >
      Text
    </PostPage>,
  );

test("a post shows the day of an update that is later than its date", () => {
  expect(pageOf({ updated: "2026-11-20" })).toContain(
    '<time dateTime="2026-11-01">November 1st, 2026</time> — Updated <time dateTime="2026-11-20">November 20th, 2026</time> — 5 min read',
  );
  for (const updated of ["2026-11-01", "2026-10-20"])
    expect(pageOf({ updated })).toContain(
      '<time dateTime="2026-11-01">November 1st, 2026</time> — 5 min read',
    );
});

test("a right-to-left post affects only its own text, and no label of the page", () => {
  const html = pageOf({ lang: "ar", title: "مرحبا", bannerCredit: "x" });
  expect(html).toContain('<h1 id="post-title" lang="ar" dir="rtl">');
  expect(html).toContain('<div class="prose" lang="ar" dir="rtl">Text</div>');
  expect(html.match(/dir="rtl"/g)).toHaveLength(2);
  expect(html).toMatch(/<article aria-labelledby="post-title"><header/);
});
