import { Component, createContext, forwardRef, memo, type ReactNode, useContext } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { expect, test } from "vitest";
import { guardTree } from "./guard-tree.ts";

const failures: string[] = [];
const guard = (node: ReactNode, options: { name?: string; isServerBuild?: boolean } = {}) =>
  guardTree(node, {
    isSignal: (error) => error === "signal",
    onFailure: (name, error) => {
      failures.push(`${name}: ${String((error as Error).message ?? error)}`);
      return <mark>{name}</mark>;
    },
    ...options,
  });
const render = (node: ReactNode, options?: Parameters<typeof guard>[1]) => {
  failures.length = 0;
  return renderToStaticMarkup(guard(node, options));
};

const Throws = (): ReactNode => {
  throw new Error("no");
};
const UsesWindow = () => <p>{window.innerWidth}</p>;
const ReturnsObject = () => ({ a: 1 }) as unknown as ReactNode;
const ShowsObject = () => <p>{new Date(0) as unknown as ReactNode}</p>;
const Missing = undefined as unknown as () => ReactNode;
class ThrowsInRender extends Component {
  override render(): ReactNode {
    throw new Error("no");
  }
}
class ThrowsInConstructor extends Component {
  constructor(props: object) {
    super(props);
    throw new Error("no");
  }
}

test.each([
  ["throws", <Throws key="" />, "Throws", "Throws: no"],
  ["uses window", <UsesWindow key="" />, "UsesWindow", "UsesWindow: window is not defined"],
  ["returns an object", <ReturnsObject key="" />, "ReturnsObject", /^ReturnsObject: it returns an/],
  ["is a class that throws", <ThrowsInRender key="" />, "ThrowsInRender", "ThrowsInRender: no"],
  [
    "is a class whose constructor throws",
    <ThrowsInConstructor key="" />,
    "ThrowsInConstructor",
    "ThrowsInConstructor: no",
  ],
  ["is undefined", <Missing key="" />, "A component", /^A component: it is not a component/],
])("a component that %s becomes a box with its name", (_, node, name, failure) => {
  expect(
    render(
      <div>
        <i>before</i>
        {node}
        <i>after</i>
      </div>,
    ),
  ).toBe(`<div><i>before</i><mark>${name}</mark><i>after</i></div>`);
  expect(failures).toEqual([
    typeof failure === "string" ? failure : expect.stringMatching(failure),
  ]);
});

test("only what fails is replaced, however deep it is", () => {
  const Inner = () => (
    <ul>
      <li>one</li>
      <li>
        <ShowsObject />
      </li>
      {[1, 2].map((n) => (n === 2 ? <Throws key={n} /> : <li key={n}>{n}</li>))}
    </ul>
  );
  expect(render(<Inner />)).toBe(
    "<ul><li>one</li><li><p><mark>A component</mark></p></li><li>1</li><mark>Throws</mark></ul>",
  );
});

test("memo, forwardRef and contexts work as without a guard", () => {
  const Context = createContext("none");
  const Reader = memo(() => <b>{useContext(Context)}</b>);
  const Forwarding = forwardRef<HTMLElement, { children: ReactNode }>(function Forwarding(
    { children },
    ref,
  ) {
    return <i ref={ref}>{children}</i>;
  });
  const MemoThrows = memo(Throws);
  expect(
    render(
      <Context value="some">
        <Forwarding>
          <Reader />
          <MemoThrows />
        </Forwarding>
      </Context>,
    ),
  ).toBe("<i><b>some</b><mark>Throws</mark></i>");
});

test("a component recognizes its children by type", () => {
  const Tab = ({ children }: { children: ReactNode }) => <li>{children}</li>;
  const Tabs = ({ children }: { children: React.ReactElement[] }) => (
    <ul>{children.filter((child) => child.type === Tab)}</ul>
  );
  const Page = () => (
    <Tabs>
      <Tab>one</Tab>
      <p>no tab</p>
      <Tab>
        <Throws />
      </Tab>
    </Tabs>
  );
  expect(render(<Page />)).toBe("<ul><li>one</li><li><mark>Throws</mark></li></ul>");
});

test("an island's box has the name that the post uses", () => {
  expect(render(<Throws />, { name: "Demo" })).toBe("<mark>Demo</mark>");
});

test("a framework's control-flow signal passes through", () => {
  const Redirects = (): ReactNode => {
    // oxlint-disable-next-line typescript/only-throw-error -- as frameworks do
    throw "signal";
  };
  expect(() => render(<Redirects />)).toThrow("signal");
});

test("in the server build, async components are awaited and guarded", async () => {
  const Async = async () => {
    await Promise.resolve();
    throw new Error("late");
  };
  failures.length = 0;
  const element = guard(<Async />, { isServerBuild: true }) as React.ReactElement;
  const result = await (element.type as (props: object) => Promise<React.ReactElement>)({});
  expect(renderToStaticMarkup(result)).toBe("<mark>Async</mark>");
  expect(failures).toEqual(["Async: late"]);
});

test("in the server build, a function as a prop of an element is a failure", () => {
  const Handler = () => <button onClick={() => {}}>x</button>;
  expect(render(<Handler />, { isServerBuild: true })).toBe("<mark>Handler</mark>");
  expect(failures[0]).toMatch(/^Handler: its prop onClick is a function/);
  expect(render(<Handler />)).toBe("<button>x</button>");
});
