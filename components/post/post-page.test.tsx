import { renderToStaticMarkup } from "react-dom/server";
import { expect, test } from "vitest";
import { samplePost, type SamplePost } from "#tests/support/sample-posts.ts";
import { PostPage, type PostPageProps } from "./post-page.tsx";

const pageOf = (fields: SamplePost, props: Partial<PostPageProps> = {}) =>
  renderToStaticMarkup(
    <PostPage
      post={samplePost({ date: "2026-11-01", ...fields })}
      series={null}
      neighbors={{ previous: null, next: null, isSeries: false }}
      standings={null}
      recommendations={null}
      readMark={null}
      url="https://lectern.example/blog/a"
      editUrl={null}
      discussUrl={null}
      author={{ name: "Ada", links: [] }}
      {...props}
    >
      Text
    </PostPage>,
  );

test("a post shows the day of an update that is later than its date", () => {
  expect(pageOf({ updated: "2026-11-20" })).toContain(
    '<time dateTime="2026-11-01">November 1st, 2026</time> — Updated <time dateTime="2026-11-20">November 20th, 2026</time> — <span>5 min read</span>',
  );
  for (const updated of ["2026-11-01", "2026-10-20"])
    expect(pageOf({ updated })).toContain(
      '<time dateTime="2026-11-01">November 1st, 2026</time> — <span>5 min read</span>',
    );
});

test("a right-to-left post affects only its own text, and no label of the page", () => {
  const html = pageOf({ lang: "ar", title: "مرحبا", bannerCredit: "x" });
  expect(html).toContain('<h1 id="post-title" lang="ar" dir="rtl">');
  expect(html).toContain('<div class="prose" lang="ar" dir="rtl">Text</div>');
  expect(html.match(/dir="rtl"/g)).toHaveLength(2);
  expect(html).toMatch(/<article aria-labelledby="post-title"><header/);
});

test("a post names its author with a portrait, and links its topics and neighbors", () => {
  const html = pageOf(
    { categories: ["Remote work"] },
    {
      author: { name: "Ada", portrait: "/ada.jpg", links: [] },
      neighbors: {
        previous: samplePost({ slug: "before" }),
        next: samplePost({ slug: "after" }),
        isSeries: false,
      },
    },
  );
  expect(html).toMatch(/<img class="author-portrait" src="\/ada.jpg" alt=""/);
  expect(html).toContain('<a href="/about" rel="author">Ada</a>');
  expect(html).toContain('<a href="/blog/topics/remote-work">Remote work</a>');
  expect(html).toContain('href="/blog/before" rel="prev"');
  expect(html).toContain('href="/blog/after" rel="next"');
});

test("a reply by email has the post's title as its subject, whatever is in it", () => {
  const html = pageOf(
    { title: "Q&A: 100% yes?" },
    { author: { name: "Ada", email: "ada@example.com", links: [] } },
  );
  const [, href] = /href="(mailto:ada@[^"]*)"/.exec(html)!;
  const url = new URL(href!.replaceAll("&amp;", "&"));
  expect([url.pathname, Object.fromEntries(url.searchParams)]).toEqual([
    "ada@example.com",
    { subject: "Re: Q&A: 100% yes?", body: "https://lectern.example/blog/a" },
  ]);
  expect(pageOf({})).not.toContain("Reply by email");
});

test("only a post with an address for editing asks for translations, and not in its header", () => {
  expect(pageOf({})).not.toContain("ranslation");
  const html = pageOf({}, { editUrl: "https://git.example/edit" });
  expect(html.slice(html.indexOf("</header>"))).toContain("Add translation");
  expect(html.slice(0, html.indexOf("</header>"))).not.toContain("ranslation");
});
