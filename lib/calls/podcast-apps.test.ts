import { expect, test } from "vitest";
import { listAppLinks } from "./podcast-apps.ts";

const FEED = "https://example.test:8443/calls/feed.xml";

test("each app gets the feed in its own link", () => {
  expect(listAppLinks(FEED, [])).toEqual([
    { label: "Apple Podcasts", url: "podcast://example.test:8443/calls/feed.xml" },
    {
      label: "Overcast",
      url: "overcast://x-callback-url/add?url=https%3A%2F%2Fexample.test%3A8443%2Fcalls%2Ffeed.xml",
    },
    { label: "Pocket Casts", url: "pktc://subscribe/example.test:8443/calls/feed.xml" },
  ]);
});

test("an app that is among the directories is not listed twice", () => {
  const directories = [
    { label: "Apple", url: "https://podcasts.apple.com/x" },
    { label: "pocket casts", url: "https://pca.st/x" },
  ];
  expect(listAppLinks(FEED, directories).map(({ label }) => label)).toEqual(["Overcast"]);
});
