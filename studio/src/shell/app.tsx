/** @file The page's frame: what is on it whatever the view, and which view the address asks for. */
import { useEffect, useRef } from "preact/hooks";
import { useRoute, type Route } from "../router.js";
import { lazyView } from "../ui/lazy-view.js";
import { Header } from "./header.js";
import { Missing } from "./missing.js";
import "./shell.css";

const RunsView = lazyView(() => import("../runs/view.js"));
const RunView = lazyView(() => import("../run/view.js"));
const GroupView = lazyView(() => import("../group/view.js"));
const CompareView = lazyView(() => import("../compare/view.js"));
const DetectView = lazyView(() => import("../detect/view.js"));

/** Keyed by what it is about: another run starts with fresh state, another filter does not. */
function View({ route }: { readonly route: Route }) {
  switch (route.view) {
    case "runs":
      return <RunsView route={route} />;
    case "run":
      return <RunView key={route.id} route={route} />;
    case "group":
    case "evaluation":
      return <GroupView key={`${route.view} ${route.id}`} route={route} />;
    case "compare":
      return <CompareView route={route} />;
    case "detect":
      return <DetectView route={route} />;
    case "missing":
      return <Missing path={route.path} />;
  }
}

/** Which place a route is: where it changes, focus and scroll go to the top as on a new page. */
function place(route: Route): string {
  return "id" in route ? `${route.view} ${route.id}` : route.view;
}

/** The whole page. */
export function App() {
  const route = useRoute();
  const main = useRef<HTMLElement>(null);
  const at = place(route);
  const before = useRef(at);
  useEffect(() => {
    if (before.current === at) return;
    before.current = at;
    window.scrollTo(0, 0);
    main.current?.focus({ preventScroll: true });
  }, [at]);
  return (
    <>
      <a
        class="skip"
        href="#main"
        onClick={(event) => {
          // The hash holds the route: only the focus may move.
          event.preventDefault();
          main.current?.focus();
          main.current?.scrollIntoView();
        }}
      >
        Skip to content
      </a>
      <Header route={route} />
      <main id="main" class="main" ref={main} tabIndex={-1}>
        <View route={route} />
      </main>
    </>
  );
}
