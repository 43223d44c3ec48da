// Pushes changes of a post to the Git host and to the site's webhook, and measures when a region
// shows them.

import { setTimeout as sleep } from "node:timers/promises";
import type { Cluster } from "#cli/cluster/cluster.ts";
import { waitUntil } from "#cli/cluster/wait-until.ts";
import { sendRequest } from "#tests/support/cluster/browser-visitor.ts";
import { type TestGitHost, readFilesBelow, startGitHost } from "#tests/support/git-host.ts";
import { pick } from "#tests/support/random.ts";

const PAUSE_MS = 15_000;
/** A change that a region doesn't show by then counts as late, because of a fault. */
const LATE_MS = 30_000;
const SECRET = "only-for-the-webhook-of-the-soak";
const SLUG = "a-post-that-changes";

const textOf = (number: number) =>
  `---\ntitle: A post that changes\ndate: 2026-11-01\ndescription: It changes during the soak.\n---\n\nThis is change ${number}.\n`;

export class ContentChanges {
  /** Milliseconds from the acknowledged push until the page shows it. */
  readonly delaysMs: number[] = [];
  lateCount = 0;
  refusedCount = 0;
  readonly #git: TestGitHost;
  readonly #content = readFilesBelow("content", "content");
  #number = 0;
  #isOver = false;
  #running: Promise<void> = Promise.resolve();

  private constructor(git: TestGitHost) {
    this.#git = git;
  }

  /** Starts the Git host with the posts of this folder. */
  static async open(): Promise<ContentChanges> {
    const changes = new ContentChanges(await startGitHost());
    changes.#commit();
    return changes;
  }

  /** The variables with which nodes read from the host. */
  get siteEnv(): Record<string, string> {
    return {
      CONTENT_SOURCE: "git",
      CONTENT_GIT_API: this.#git.api,
      CONTENT_GIT_REPOSITORY: this.#git.repository,
      CONTENT_WEBHOOK_SECRET: SECRET,
      FETCH_ALLOW_PRIVATE: this.#git.address,
    };
  }

  start(cluster: Cluster): void {
    this.#running = this.#run(cluster);
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#running;
  }

  async close(): Promise<void> {
    await this.#git.close();
  }

  /** Pushes once more, and waits until every node shows that change. Throws if one does not. */
  async expectOnAllNodes(cluster: Cluster): Promise<void> {
    const [region] = cluster.edges.keys();
    if (!(await this.#push(cluster, region!))) throw new Error("The last push was refused.");
    for (const node of cluster.nodes.values())
      await waitUntil(`${node.name} shows the last change`, LATE_MS, () => this.#isShown(node.url));
  }

  async #run(cluster: Cluster): Promise<void> {
    while (!this.#isOver) {
      const region = pick(Math.random, [...cluster.edges.keys()]);
      if (await this.#push(cluster, region)) await this.#measure(cluster.getEdgeUrl(region));
      else this.refusedCount += 1;
      await sleep(PAUSE_MS);
    }
  }

  async #measure(url: string): Promise<void> {
    const pushedMs = performance.now();
    await waitUntil("the change is shown", LATE_MS, () => this.#isShown(url)).then(
      () => this.delaysMs.push(performance.now() - pushedMs),
      () => (this.lateCount += 1),
    );
  }

  #commit(): string {
    this.#number += 1;
    return this.#git.commit({
      ...this.#content,
      [`content/blog/${SLUG}.mdx`]: textOf(this.#number),
    });
  }

  /** Returns whether the site has acknowledged the push. */
  async #push(cluster: Cluster, region: string): Promise<boolean> {
    const { body, headers } = this.#git.makePushWebhook(SECRET, this.#commit());
    return sendRequest(`${cluster.getEdgeUrl(region)}/api/content-webhook`, {
      method: "POST",
      body,
      headers: { ...headers, "content-length": String(Buffer.byteLength(body)) },
      timeoutMs: LATE_MS,
    }).then(
      ({ status }) => status === 200,
      () => false,
    );
  }

  async #isShown(url: string): Promise<boolean> {
    return sendRequest(`${url}/blog/${SLUG}`, { timeoutMs: LATE_MS }).then(
      ({ text }) => text.includes(`This is change ${this.#number}.`),
      () => false,
    );
  }
}
