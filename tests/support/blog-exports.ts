// Writes exports of 50 posts as Ghost, WordPress and Substack write them.

import { strToU8, zipSync, type Zippable } from "fflate";

/** A PNG of one pixel. */
export const PNG_BYTES = new Uint8Array(
  Buffer.from(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
    "base64",
  ),
);

const pad = (value: number) => String(value).padStart(2, "0");
const day = (index: number) => `2021-${pad(1 + (index % 12))}-${pad(1 + (index % 28))}`;

/** The cards of Ghost's editor, as its export renders them. */
const GHOST_CARDS = [
  '<figure class="kg-card kg-image-card kg-width-wide kg-card-hascaption"><img src="__GHOST_URL__/content/images/size/w1000/2021/01/Photo-One.png" class="kg-image" alt="A {brace}" loading="lazy" width="10" height="10"><figcaption>A caption</figcaption></figure>',
  '<figure class="kg-card kg-gallery-card kg-width-wide"><div class="kg-gallery-container"><div class="kg-gallery-row"><div class="kg-gallery-image"><img src="__GHOST_URL__/content/images/2021/01/a.png" alt=""></div><div class="kg-gallery-image"><img src="__GHOST_URL__/content/images/2021/01/b.png" alt=""></div></div></div></figure>',
  '<figure class="kg-card kg-bookmark-card"><a class="kg-bookmark-container" href="https://example.com/bookmark"><div class="kg-bookmark-content"><div class="kg-bookmark-title">Title</div><div class="kg-bookmark-description">Text</div><div class="kg-bookmark-metadata"><img class="kg-bookmark-icon" src="https://example.com/icon.png" alt=""></div></div></a></figure>',
  '<div class="kg-card kg-callout-card kg-callout-card-blue"><div class="kg-callout-emoji">💡</div><div class="kg-callout-text">Mind the <strong>gap</strong></div></div>',
  '<div class="kg-card kg-toggle-card" data-kg-toggle-state="close"><div class="kg-toggle-heading"><h4 class="kg-toggle-heading-text"><span>More</span></h4><button class="kg-toggle-card-icon"><svg viewBox="0 0 24 24"><path d="M0 0"></path></svg></button></div><div class="kg-toggle-content"><p>Hidden text</p></div></div>',
  '<figure class="kg-card kg-video-card"><div class="kg-video-container"><video src="__GHOST_URL__/content/media/2021/01/film.mp4" poster="https://img.spacergif.org/v1/640x360/0a/spacer.png" width="640" height="360" playsinline preload="metadata"></video><div class="kg-video-overlay"><button class="kg-video-large-play-icon"><svg viewBox="0 0 24 24"></svg></button></div></div></figure>',
  '<!--kg-card-begin: html--><div class="mine" onclick="x()"><p>Raw <b>HTML</b> { } &lt;tag&gt;</p></div><!--kg-card-end: html-->',
  '<pre><code class="language-ts">const a = { b: 1 };\nif (a &lt; 2) throw a;</code></pre>',
  '<figure class="kg-card kg-embed-card"><iframe width="200" height="113" src="https://www.youtube.com/embed/dQw4w9WgXcQ?feature=oembed" frameborder="0" allowfullscreen></iframe></figure>',
  '<table><thead><tr><th>Name</th><th style="text-align:right">Size</th></tr></thead><tbody><tr><td>a|b</td><td>1</td></tr></tbody></table>',
];

/** Returns a Ghost 5 export with 48 posts (6 drafts, 1 scheduled, 1 for paid members) and 2 pages. */
export function ghostExportJson(): string {
  const posts = Array.from({ length: 50 }, (_, index) => {
    const isDraft = index >= 40 && index < 46;
    return {
      id: `6000000000000000000000${pad(index)}`,
      uuid: `00000000-0000-4000-8000-0000000000${pad(index)}`,
      title: index === 1 ? 'Quotes: "a" & {b}' : `Ghost post ${index}`,
      slug: index === 2 ? "café-au-lait" : `ghost-post-${index}`,
      mobiledoc: null,
      lexical: '{"root":{}}',
      html: `<p>Post ${index} starts with {braces} &amp; a &lt;tag&gt;, see <a href="__GHOST_URL__/ghost-post-3/#part">post 3</a>.</p><h2 id="part">Part</h2>${GHOST_CARDS[index % GHOST_CARDS.length]}<p>import is a word</p>`,
      comment_id: String(index),
      plaintext: `Post ${index}`,
      feature_image: index % 2 === 0 ? "__GHOST_URL__/content/images/2021/01/banner.png" : null,
      featured: 0,
      type: index >= 48 ? "page" : "post",
      status: isDraft ? "draft" : index === 46 ? "scheduled" : "published",
      locale: null,
      visibility: index === 47 ? "paid" : "public",
      created_at: `${day(index)}T08:00:00.000Z`,
      updated_at: `${day(index)}T23:00:00.000Z`,
      published_at: isDraft
        ? null
        : index === 46
          ? "2099-01-01T10:00:00.000Z"
          : `${day(index)}T22:30:00.000Z`,
      custom_excerpt: index === 5 ? "An excerpt of its own" : null,
      codeinjection_head: null,
      custom_template: null,
      canonical_url: null,
    };
  });
  return JSON.stringify({
    db: [
      {
        meta: { exported_on: 1700000000000, version: "5.75.0" },
        data: {
          posts,
          posts_meta: [
            {
              id: "m1",
              post_id: posts[0]!.id,
              feature_image_alt: "A banner",
              feature_image_caption: "By <a href='https://example.com'>Ada</a>",
            },
          ],
          tags: [
            { id: "t1", name: "SQLite", slug: "sqlite", visibility: "public" },
            { id: "t2", name: "#internal", slug: "hash-internal", visibility: "internal" },
          ],
          posts_tags: posts.map(({ id }, index) => ({
            id: `pt${index}`,
            post_id: id,
            tag_id: index % 2 === 0 ? "t1" : "t2",
            sort_order: 0,
          })),
          users: [{ id: "1", name: "Ada", email: "ada@example.test" }],
          settings: [
            { id: "s1", key: "title", value: "A Ghost blog" },
            { id: "s2", key: "timezone", value: "Europe/Berlin" },
          ],
        },
      },
    ],
  });
}

/** Returns the ZIP of a Ghost export with its images and redirects. */
export function ghostExportZip(): Uint8Array {
  const images = ["Photo-One.png", "a.png", "b.png", "banner.png"].map(
    (name) => [`content/images/2021/01/${name}`, PNG_BYTES] as const,
  );
  const files: Zippable = {
    "a-blog.ghost.2023-11-14.json": strToU8(ghostExportJson()),
    "redirects.yaml": strToU8(
      "301:\n  /old-page/: /ghost-post-1/\n  ^/series/(.*)$: /blog/$1\n302:\n  /soon: /blog\n",
    ),
    "content/media/2021/01/film.mp4": strToU8("not decoded here"),
    ...Object.fromEntries(images),
  };
  return zipSync(files);
}

/** Blocks of the WordPress editor, and what the classic editor left. */
const wordPressContents = (origin: string) => [
  `<!-- wp:paragraph -->\n<p>Block text with {braces} &amp; <a href="${origin}/2021/02/wp-post-1/">post 1</a>.</p>\n<!-- /wp:paragraph -->\n\n<!-- wp:image {"id":900,"sizeSlug":"large"} -->\n<figure class="wp-block-image size-large"><img src="${origin}/wp-content/uploads/2021/01/photo-1024x768.png" alt="A photo" class="wp-image-900"/><figcaption class="wp-element-caption">The <em>caption</em></figcaption></figure>\n<!-- /wp:image -->`,
  `First classic paragraph\nwith a second line.\n\n<!--more-->\n\n[caption id="attachment_900" align="aligncenter" width="300"]<a href="${origin}/wp-content/uploads/2021/01/big.png"><img class="size-medium" src="${origin}/wp-content/uploads/2021/01/big-300x200.png" alt="Big" width="300" height="200" /></a> A classic caption[/caption]\n\nLast one.`,
  `Gallery:\n\n[gallery ids="900,901"]\n\nhttps://www.youtube.com/watch?v=dQw4w9WgXcQ\n\n[embed]https://vimeo.com/76979871[/embed]`,
  `[code lang="php"]\n<?php\n\nif ($a < 1) { echo "[x]"; }\n[/code]\n\nAfter the code.`,
  `<!-- wp:code -->\n<pre class="wp-block-code"><code>let a = &lt;b&gt;;</code></pre>\n<!-- /wp:code -->\n\n<!-- wp:embed {"url":"https://www.youtube.com/watch?v=dQw4w9WgXcQ","type":"video","providerNameSlug":"youtube"} -->\n<figure class="wp-block-embed is-type-video"><div class="wp-block-embed__wrapper">\nhttps://www.youtube.com/watch?v=dQw4w9WgXcQ\n</div></figure>\n<!-- /wp:embed -->`,
  `<!-- wp:table -->\n<figure class="wp-block-table"><table><tbody><tr><td>No header</td><td>{x}</td></tr></tbody></table></figure>\n<!-- /wp:table -->\n\n<!-- wp:paragraph -->\n<p>A note<sup data-fn="1b2c-3d" class="fn"><a href="#1b2c-3d" id="1b2c-3d-link">1</a></sup>.</p>\n<!-- /wp:paragraph -->\n\n<!-- wp:footnotes /-->`,
  `<!-- wp:quote -->\n<blockquote class="wp-block-quote"><p>Quoted</p><cite>Somebody</cite></blockquote>\n<!-- /wp:quote -->\n\n<!-- wp:file -->\n<div class="wp-block-file"><a href="${origin}/wp-content/uploads/2021/01/paper.pdf">Paper</a><a href="${origin}/wp-content/uploads/2021/01/paper.pdf" class="wp-block-file__button" download>Download</a></div>\n<!-- /wp:file -->`,
  `Gone: <img src="${origin}/wp-content/uploads/2021/01/gone.png" alt="gone" /> and [contact-form-7 id="1"]`,
];

const cdata = (text: string) => `<![CDATA[${text.replaceAll("]]>", "]]]]><![CDATA[>")}]]>`;

/**
 * Returns a WXR 1.2 export of the site at `origin` with 48 posts (4 drafts, 1 future, 1 private),
 * 2 pages and 2 attachments.
 */
export function wordPressExportXml(origin: string): string {
  const contents = wordPressContents(origin);
  const items = Array.from({ length: 50 }, (_, index) => {
    const isPage = index >= 48;
    const status =
      index >= 40 && index < 44
        ? "draft"
        : index === 44
          ? "future"
          : index === 45
            ? "private"
            : "publish";
    const slug = status === "draft" ? "" : isPage ? `wp-page-${index}` : `wp-post-${index}`;
    const link =
      status === "draft"
        ? `${origin}/?p=${100 + index}`
        : isPage
          ? `${origin}/${slug}/`
          : `${origin}/${day(index).slice(0, 7).replace("-", "/")}/${slug}/`;
    const date = index === 44 ? "2099-05-05" : day(index);
    return wxrItem({
      title: index === 1 ? "Tom &amp; Jerry&#8217;s &lt;tag&gt;" : `WordPress post ${index}`,
      link,
      content: contents[index % contents.length]!,
      excerpt: index === 3 ? "Written by hand" : "",
      id: 100 + index,
      local: `${date} 00:30:00`,
      utc: status === "draft" ? "0000-00-00 00:00:00" : `${previousDay(date)} 22:30:00`,
      slug,
      status,
      type: isPage ? "page" : "post",
      extra: [
        '<category domain="category" nicename="news"><![CDATA[News & Views]]></category>',
        '<category domain="post_tag" nicename="sql"><![CDATA[SQL]]></category>',
        index === 0 ? wxrMeta("_thumbnail_id", "901") + wxrMeta("_wp_old_slug", "wp-old") : "",
        index % contents.length === 5
          ? wxrMeta("footnotes", '[{"content":"The <em>note</em>","id":"1b2c-3d"}]')
          : "",
      ].join("\n"),
    });
  });
  const attachments = [900, 901].map((id) =>
    wxrItem({
      title: `image ${id}`,
      link: `${origin}/?attachment_id=${id}`,
      content: "",
      excerpt: "",
      id,
      local: "2021-01-01 00:00:00",
      utc: "2021-01-01 00:00:00",
      slug: `image-${id}`,
      status: "inherit",
      type: "attachment",
      extra: `<wp:attachment_url>${cdata(`${origin}/wp-content/uploads/2021/01/image-${id}.png`)}</wp:attachment_url>${wxrMeta("_wp_attachment_image_alt", `Image ${id}`)}`,
    }),
  );
  return `<?xml version="1.0" encoding="UTF-8" ?>
<!-- This is a WordPress eXtended RSS file generated by WordPress as an export of your site. -->
<rss version="2.0"
	xmlns:excerpt="http://wordpress.org/export/1.2/excerpt/"
	xmlns:content="http://purl.org/rss/1.0/modules/content/"
	xmlns:wfw="http://wellformedweb.org/CommentAPI/"
	xmlns:dc="http://purl.org/dc/elements/1.1/"
	xmlns:wp="http://wordpress.org/export/1.2/"
>
<channel>
	<title>A WordPress blog</title>
	<link>${origin}</link>
	<wp:wxr_version>1.2</wp:wxr_version>
	<wp:base_site_url>${origin}</wp:base_site_url>
	<wp:base_blog_url>${origin}</wp:base_blog_url>
	<wp:author><wp:author_id>1</wp:author_id><wp:author_email><![CDATA[ada@example.test]]></wp:author_email></wp:author>
	<wp:category><wp:term_id>2</wp:term_id><wp:category_nicename><![CDATA[news]]></wp:category_nicename></wp:category>
${[...items, ...attachments].join("\n")}
</channel>
</rss>
`;
}

const previousDay = (date: string) =>
  new Date(Date.parse(date) - 86_400_000).toISOString().slice(0, 10);

const wxrMeta = (key: string, value: string) =>
  `<wp:postmeta><wp:meta_key>${cdata(key)}</wp:meta_key><wp:meta_value>${cdata(value)}</wp:meta_value></wp:postmeta>`;

interface WxrItemFields {
  title: string;
  link: string;
  content: string;
  excerpt: string;
  id: number;
  local: string;
  utc: string;
  slug: string;
  status: string;
  type: string;
  extra: string;
}

const wxrItem = (item: WxrItemFields) => `	<item>
		<title>${cdata(item.title)}</title>
		<link>${item.link}</link>
		<pubDate>Fri, 01 Jan 2021 00:00:00 +0000</pubDate>
		<dc:creator>${cdata("ada")}</dc:creator>
		<guid isPermaLink="false">${item.link}</guid>
		<description></description>
		<content:encoded>${cdata(item.content)}</content:encoded>
		<excerpt:encoded>${cdata(item.excerpt)}</excerpt:encoded>
		<wp:post_id>${item.id}</wp:post_id>
		<wp:post_date>${cdata(item.local)}</wp:post_date>
		<wp:post_date_gmt>${cdata(item.utc)}</wp:post_date_gmt>
		<wp:post_modified>${cdata(item.local)}</wp:post_modified>
		<wp:post_modified_gmt>${cdata(item.utc)}</wp:post_modified_gmt>
		<wp:comment_status>${cdata("open")}</wp:comment_status>
		<wp:post_name>${cdata(item.slug)}</wp:post_name>
		<wp:status>${cdata(item.status)}</wp:status>
		<wp:post_parent>0</wp:post_parent>
		<wp:post_type>${cdata(item.type)}</wp:post_type>
		<wp:post_password>${cdata("")}</wp:post_password>
		<wp:is_sticky>0</wp:is_sticky>
		${item.extra}
		<wp:comment><wp:comment_id>1</wp:comment_id><wp:comment_content>${cdata("A comment")}</wp:comment_content></wp:comment>
	</item>`;

/** Substack's proxy of the image at `origin`. */
const substackImage = (origin: string, name: string) => {
  const source = `${origin}/public/images/${name}`;
  return `<div class="captioned-image-container"><figure><a class="image-link image2" target="_blank" href="https://substackcdn.com/image/fetch/f_auto,q_auto:good,fl_progressive:steep/${encodeURIComponent(source)}"><div class="image2-inset"><picture><img src="https://substackcdn.com/image/fetch/w_1456,c_limit,f_auto,q_auto:good,fl_progressive:steep/${encodeURIComponent(source)}" width="1456" height="816" data-attrs="{&quot;src&quot;:&quot;${source}&quot;}" class="sizing-normal" alt="Drawing" title="Drawing"></picture><div class="image-link-expand"><div class="pencraft"><svg></svg></div></div></div></a><figcaption class="image-caption">A caption</figcaption></figure></div>`;
};

const substackContents = (origin: string) => [
  substackImage(origin, "drawing.png"),
  `<p>With a note.<a class="footnote-anchor" data-component-name="FootnoteAnchorToDOM" id="footnote-anchor-1" href="#footnote-1" target="_self">1</a></p><div class="footnote" data-component-name="FootnoteToDOM"><a id="footnote-1" href="#footnote-anchor-1" class="footnote-number" contenteditable="false" target="_self">1</a><div class="footnote-content"><p>The note.</p></div></div>`,
  `<div class="subscription-widget-wrap" data-attrs="{&quot;url&quot;:&quot;https://x.substack.com/subscribe?&quot;,&quot;text&quot;:&quot;Subscribe&quot;}"><div class="subscription-widget show-subscribe"><div class="preamble"><p class="cta-caption">Thanks for reading! Subscribe for free.</p></div><form class="subscription-widget-subscribe"><input type="email" class="email-input" name="email"><input type="submit" class="button primary" value="Subscribe"></form></div></div><p class="button-wrapper" data-attrs="{&quot;url&quot;:&quot;https://x.substack.com/p/x?action=share&quot;,&quot;text&quot;:&quot;Share&quot;}"><a class="button primary" href="https://x.substack.com/p/x?action=share"><span>Share</span></a></p>`,
  `<div id="youtube2-dQw4w9WgXcQ" class="youtube-wrap" data-attrs="{&quot;videoId&quot;:&quot;dQw4w9WgXcQ&quot;}"><div class="youtube-inner"><iframe src="https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ?rel=0" frameborder="0"></iframe></div></div>`,
  `<pre><code>const a = {};</code></pre><div class="pullquote"><p>Pulled</p></div><div><hr></div>`,
];

/** Returns a Substack export with 50 posts: 5 drafts, 2 for paid subscribers. */
export function substackExportZip(origin: string): Uint8Array {
  const contents = substackContents(origin);
  const rows = [
    "post_id,post_date,is_published,email_sent_at,inbox_sent_at,type,audience,title,subtitle,podcast_url",
  ];
  const files: Zippable = {};
  for (let index = 0; index < 50; index++) {
    const postId = `${4_000_000 + index}.letter-${index}`;
    const isDraft = index >= 40 && index < 45;
    const audience = index >= 48 ? "only_paid" : "everyone";
    rows.push(
      `${postId},${isDraft ? "" : `${day(index)}T10:00:00.000Z`},${!isDraft},,,newsletter,${audience},"Letter ${index}, with ""quotes""",A subtitle,`,
    );
    files[`posts/${postId}.html`] = strToU8(
      `<p>Letter ${index} & {braces}, after <a href="https://x.substack.com/p/letter-0">the first</a>.</p>${contents[index % contents.length]}`,
    );
    files[`posts/${4_000_000 + index}.opens.csv`] = strToU8("post_id,timestamp,email\n");
  }
  files["posts.csv"] = strToU8(`${rows.join("\n")}\n`);
  files["email_list.x.csv"] = strToU8(
    "email,active_subscription,expiry,plan,email_disabled,created_at,first_payment_at\nReader@example.test,false,,other,false,2022-03-04T05:06:07.000Z,\nnot an address,false,,other,false,2022-03-04T05:06:07.000Z,\n",
  );
  return zipSync(files);
}
