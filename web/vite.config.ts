// How the terminal is built: fixed names (the reporter sends an ETag), no inline code, licences beside it.
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

export default defineConfig({
  base: "./",
  plugins: [
    svelte({
      onwarn(warning, handle) {
        // A list that scrolls must be reached by the keyboard (WCAG 2.1.1); `npm run check` leaves this rule out as well.
        if (warning.code !== "a11y_no_noninteractive_tabindex") handle?.(warning);
      },
    }),
  ],
  // The test of the colours reads the style sheet.
  test: { css: true },
  build: {
    outDir: "../src/exchange/reporter/static",
    emptyOutDir: true,
    target: "es2022",
    modulePreload: false,
    assetsInlineLimit: 0,
    cssCodeSplit: false,
    license: { fileName: "licenses.txt" },
    rolldownOptions: {
      checks: { pluginTimings: false },
      output: {
        entryFileNames: "assets/terminal.js",
        chunkFileNames: "assets/[name].js",
        assetFileNames: "assets/[name][extname]",
      },
    },
  },
});
