/** @file Top of the page: where one is, where one can go, whether the page hears from the server. */
import { href, type Route } from "../router.js";
import { Connection } from "./connection.js";
import icon from "./icon.svg";
import { ThemeToggle } from "./theme-toggle.js";

const LINKS = [
  { name: "Runs", to: href.runs(), views: ["runs", "run", "group", "evaluation"] },
  { name: "Compare", to: href.compare([]), views: ["compare"] },
  { name: "Detect", to: href.detect(), views: ["detect"] },
] as const satisfies readonly {
  readonly name: string;
  readonly to: string;
  readonly views: readonly Route["view"][];
}[];

/** The banner with its navigation. */
export function Header({ route }: { readonly route: Route }) {
  return (
    <header class="top">
      <a class="brand" href={href.runs()}>
        <img src={icon} width="24" height="24" alt="" />
        dip-r1 <span>studio</span>
      </a>
      <nav class="nav" aria-label="Views">
        {LINKS.map(({ name, to, views }) => {
          const here = (views as readonly string[]).includes(route.view);
          return (
            <a
              key={name}
              href={to}
              aria-current={here ? (route.view === "runs" ? "page" : "true") : undefined}
            >
              {name}
            </a>
          );
        })}
      </nav>
      <div class="top-right">
        <Connection />
        <ThemeToggle />
      </div>
    </header>
  );
}
