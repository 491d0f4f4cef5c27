// What this browser remembers: keys for this tab only, looks for longer.
export type Theme = "auto" | "light" | "dark";
export type View = "market" | "trading" | "quoting" | "operations" | "clearing" | "oversight";

export const VIEWS: readonly View[] = ["market", "trading", "quoting", "operations", "clearing", "oversight"];

class Settings {
  view = $state<View>("market");
  theme = $state<Theme>("auto");
  zone = $state<"market" | "local">("market");
  confirm = $state(true);
  key = $state("");
  operatorKey = $state("");

  constructor() {
    this.theme = (localStorage.getItem("theme") as Theme | null) ?? "auto";
    this.zone = localStorage.getItem("zone") === "local" ? "local" : "market";
    this.confirm = localStorage.getItem("confirm") !== "no";
    this.key = sessionStorage.getItem("key") ?? "";
    this.operatorKey = sessionStorage.getItem("operator_key") ?? "";
  }

  /** Keep what is set now. */
  save(): void {
    localStorage.setItem("theme", this.theme);
    localStorage.setItem("zone", this.zone);
    localStorage.setItem("confirm", this.confirm ? "yes" : "no");
    sessionStorage.setItem("key", this.key.trim());
    sessionStorage.setItem("operator_key", this.operatorKey.trim());
    document.documentElement.dataset.theme = this.theme;
  }
}

export const settings = new Settings();
