// The API page: reads openapi.json of its own server, shows every operation, and sends requests to try them.
"use strict";

const KEY = "exchange-api-key";
const METHODS = ["get", "post", "put", "patch", "delete", "head"];
const DEPTH_MAX = 6;
let api = {};

// make("td", {class: "x"}, "text", element, …): text is never read as HTML.
function make(name, attributes, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value !== undefined && value !== false) element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== undefined && child !== ""));
  return element;
}

function resolve(node) {
  if (!node || !node.$ref) return node || {};
  return node.$ref.slice(2).split("/").reduce((found, part) => (found || {})[part], api) || {};
}

// A short word for a schema: `string`, `Order`, `array of Order`, `string | integer`.
function typeName(schema) {
  if (!schema) return "";
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (schema.anyOf) return schema.anyOf.map(typeName).join(" | ");
  if (schema.oneOf) return schema.oneOf.map(typeName).join(" | ");
  if (schema.type === "array") return "array of " + (typeName(schema.items) || "anything");
  return Array.isArray(schema.type) ? schema.type.join(" | ") : schema.type || "anything";
}

function limits(schema) {
  const words = {
    minimum: "from", maximum: "to", exclusiveMinimum: "above", exclusiveMaximum: "below", minLength: "length from",
    maxLength: "length to", minItems: "items from", maxItems: "items to", pattern: "like", default: "by default",
  };
  const known = Object.keys(words).filter((name) => schema[name] !== undefined && schema[name] !== "");
  return known.map((name) => `${words[name]} ${typeof schema[name] === "object" ? JSON.stringify(schema[name]) : schema[name]}`).join(", ");
}

// A value that fits a schema, for a body without an example.
function sample(schema, depth = 0) {
  const found = resolve(schema);
  if (depth > DEPTH_MAX) return null;
  if (found.examples && found.examples.length) return found.examples[0];
  if (found.default !== undefined) return found.default;
  if (found.enum) return found.enum[0];
  const choice = found.anyOf || found.oneOf;
  if (choice) return sample(choice[0], depth + 1);
  if (found.type === "object") {
    const required = found.required || Object.keys(found.properties || {});
    return Object.fromEntries(required.map((name) => [name, sample(found.properties[name], depth + 1)]));
  }
  if (found.type === "array") return [sample(found.items, depth + 1)];
  return { string: "", integer: 0, number: 0, boolean: false }[found.type] ?? null;
}

// --- showing ---------------------------------------------------------------------------------------

function fieldsTable(schema, depth = 0) {
  const found = resolve(schema);
  if (found.type === "array" && depth < DEPTH_MAX) return fieldsTable(found.items, depth + 1);
  const choice = found.anyOf || found.oneOf;
  if (choice && choice.some((part) => part.$ref) && depth < DEPTH_MAX) {
    return make("div", {}, ...choice.filter((part) => part.$ref).map((part) => fieldsTable(part, depth + 1)));
  }
  if (!found.properties) return make("p", {}, make("code", {}, typeName(schema)));
  const rows = Object.entries(found.properties).map(([name, property]) => {
    const inner = resolve(property);
    const needed = (found.required || []).includes(name);
    const said = [inner.description, limits(inner)].filter(Boolean).join("; ");
    return make("tr", {}, make("td", {}, make("code", {}, name), needed ? " *" : ""),
      make("td", {}, make("code", {}, typeName(property)), nested(property, depth)), make("td", { class: "faint" }, said));
  });
  const title = schema.$ref ? make("h3", {}, typeName(schema)) : undefined;
  const text = found.description ? make("p", { class: "faint" }, found.description) : undefined;
  return make("div", {}, title, text, make("table", {}, make("tbody", {}, ...rows)));
}

function nested(property, depth) {
  const inside = property.type === "array" ? property.items : property.anyOf ? property.anyOf.find((part) => part.$ref) : property;
  if (!inside || !inside.$ref || depth >= DEPTH_MAX || !resolve(inside).properties) return undefined;
  const more = make("details", {}, make("summary", { class: "faint" }, "fields"));
  more.addEventListener("toggle", () => {
    if (more.children.length === 1) more.append(fieldsTable(inside, depth + 1));
  }, { once: true });
  return more;
}

function parametersTable(operation, form) {
  const rows = (operation.parameters || []).map((given) => {
    const parameter = resolve(given);
    const schema = resolve(parameter.schema);
    const options = schema.enum;
    const input = options
      ? make("select", {}, ...["", ...options].map((value) => make("option", { value }, String(value))))
      : make("input", { value: parameter.required ? parameter.example ?? (schema.examples || [""])[0] : "", size: 24 });
    input.setAttribute("aria-label", parameter.name);
    form.parameters.push({ ...parameter, input });
    const said = [parameter.description || schema.description, limits(schema)].filter(Boolean).join("; ");
    return make("tr", {}, make("td", {}, make("code", {}, parameter.name), parameter.required ? " *" : ""),
      make("td", {}, input), make("td", {}, make("code", {}, typeName(parameter.schema))), make("td", { class: "faint" }, said));
  });
  return rows.length ? make("div", {}, make("h3", {}, "Parameters"), make("table", {}, make("tbody", {}, ...rows))) : undefined;
}

function bodyEditor(operation, form) {
  const content = ((operation.requestBody || {}).content || {})["application/json"];
  if (!content) return undefined;
  const value = content.example !== undefined ? content.example : sample(content.schema);
  form.body = make("textarea", { spellcheck: "false", "aria-label": "body" });
  form.body.value = JSON.stringify(value, null, 2);
  const fields = make("details", {}, make("summary", {}, "Fields"), fieldsTable(content.schema));
  return make("div", {}, make("h3", {}, "Body"), form.body, fields);
}

function responsesTable(operation) {
  const rows = Object.entries(operation.responses || {}).map(([status, given]) => {
    const response = resolve(given);
    const content = (response.content || {})["application/json"];
    const more = content && status < "300" ? make("details", {}, make("summary", {}, typeName(content.schema)), fieldsTable(content.schema)) : undefined;
    return make("tr", {}, make("td", { class: status < "400" ? "good" : "bad" }, status), make("td", {}, response.description || "", more));
  });
  return make("details", {}, make("summary", {}, "Answers"), make("table", {}, make("tbody", {}, ...rows)));
}

function operationPanel(path, method, operation) {
  const form = { parameters: [], body: null };
  const result = make("div", { role: "status" });
  const send = make("button", { type: "button", onclick: () => tryIt(path, method, form, result) }, "Send");
  const needsKey = (operation.security || []).length && !operation.security.some((way) => !Object.keys(way).length);
  const head = make("summary", {}, make("span", { class: `method ${method}` }, method), make("span", { class: "path" }, path),
    make("span", { class: "said" }, operation.summary || "", needsKey ? " · key" : ""));
  const inside = make("div", { class: "inside" });
  const panel = make("details", { class: "operation", id: operation.operationId }, head, inside);
  panel.dataset.text = `${method} ${path} ${operation.summary || ""} ${(operation.tags || []).join(" ")}`.toLowerCase();
  panel.addEventListener("toggle", () => {
    if (inside.children.length) return;
    const text = operation.description ? make("p", {}, operation.description) : undefined;
    inside.append(...[text, parametersTable(operation, form), bodyEditor(operation, form), make("p", {}, send), result, responsesTable(operation)].filter(Boolean));
  });
  return panel;
}

// --- trying ----------------------------------------------------------------------------------------

function requestOf(path, method, form) {
  const query = new URLSearchParams();
  let target = path;
  for (const parameter of form.parameters) {
    const value = parameter.input.value;
    if (parameter.in === "path") target = target.replace(`{${parameter.name}}`, encodeURIComponent(value));
    else if (value !== "") query.append(parameter.name, value);
  }
  const headers = {};
  const key = document.getElementById("key").value.trim();
  if (key) headers.Authorization = `Bearer ${key}`;
  if (form.body) headers["Content-Type"] = "application/json";
  const url = target + (query.size ? `?${query}` : "");
  return { url, options: { method: method.toUpperCase(), headers, body: form.body ? form.body.value : undefined } };
}

function curlOf(url, options) {
  const quote = (text) => `'${text.replaceAll("'", "'\\''")}'`;
  const parts = [`curl -X ${options.method} ${quote(location.origin + url)}`];
  for (const [name, value] of Object.entries(options.headers)) {
    parts.push(name === "Authorization" ? `-H "Authorization: Bearer $KEY"` : `-H ${quote(`${name}: ${value}`)}`);
  }
  if (options.body) parts.push(`-d ${quote(options.body)}`);
  return parts.join(" \\\n  ");
}

async function tryIt(path, method, form, result) {
  const { url, options } = requestOf(path, method, form);
  result.replaceChildren(make("p", { class: "faint" }, "…"));
  const started = performance.now();
  let shown;
  try {
    const response = await fetch(url, options);
    const took = (performance.now() - started).toFixed(1);
    const text = await response.text();
    let pretty = text;
    try { pretty = JSON.stringify(JSON.parse(text), null, 2); } catch { /* not JSON: shown as it is */ }
    shown = [make("p", { class: response.ok ? "good" : "bad" }, `${response.status} ${response.statusText} · ${took} ms · ${response.headers.get("X-Request-ID") || ""}`),
      make("pre", {}, pretty || "(no body)")];
  } catch (error) {
    shown = [make("p", { class: "bad" }, `No answer: ${error.message}`)];
  }
  result.replaceChildren(...shown, make("details", {}, make("summary", {}, "curl"), make("pre", {}, curlOf(url, options))));
}

// --- starting --------------------------------------------------------------------------------------

function show() {
  const main = document.getElementById("operations");
  const tags = new Map((api.tags || []).map((tag) => [tag.name, []]));
  for (const [path, item] of Object.entries(api.paths)) {
    for (const method of METHODS) {
      if (!item[method]) continue;
      const tag = (item[method].tags || ["other"])[0];
      if (!tags.has(tag)) tags.set(tag, []);
      tags.get(tag).push(operationPanel(path, method, item[method]));
    }
  }
  document.title = api.info.title;
  document.getElementById("title").textContent = `${api.info.title} ${api.info.version}`;
  main.replaceChildren(make("p", {}, api.info.description || ""));
  for (const [tag, panels] of tags) {
    main.append(make("section", { id: `tag-${tag}` }, make("h2", {}, tag), ...panels));
    document.getElementById("tags").append(make("a", { href: `#tag-${tag}` }, tag));
  }
  for (const socket of api["x-websockets"] || []) {
    main.append(make("h2", {}, "stream"), make("p", {}, make("span", { class: "method get" }, "ws "), make("span", { class: "path" }, socket.path),
      ` ${socket.summary}. ${socket.description}`));
  }
  const named = document.getElementById(location.hash.slice(1));
  if (named && named.tagName === "DETAILS") named.open = true;
}

function filter(text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  for (const panel of document.querySelectorAll("details.operation")) {
    panel.hidden = !words.every((word) => panel.dataset.text.includes(word));
  }
}

async function start() {
  const key = document.getElementById("key");
  key.value = sessionStorage.getItem(KEY) || "";
  key.addEventListener("input", () => sessionStorage.setItem(KEY, key.value.trim()));
  document.getElementById("filter").addEventListener("input", (event) => filter(event.target.value));
  try {
    const response = await fetch("openapi.json");
    api = await response.json();
    show();
  } catch (error) {
    document.getElementById("state").textContent = `openapi.json cannot be read: ${error.message}`;
  }
}

start();
