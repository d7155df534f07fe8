import { render } from "preact";
import "./style.css";
import { App } from "./app";
import { apply } from "./theme";

apply();
const place = document.getElementById("page");
if (place !== null) {
  place.replaceChildren();
  render(<App />, place);
}
