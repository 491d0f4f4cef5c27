// Starts the terminal in its page.
import { mount } from "svelte";
import App from "./App.svelte";
import "./styles/colours.css";
import "./styles/frame.css";
import "./styles/panels.css";
import "./styles/oversight.css";

mount(App, { target: document.getElementById("terminal")! });
