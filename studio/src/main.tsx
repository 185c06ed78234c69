/** @file Entry of the page. */
import { render } from "preact";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/parts.css";
import { App } from "./shell/app.js";
import { startTheme } from "./theme.js";

startTheme();
render(<App />, document.getElementById("app")!);
