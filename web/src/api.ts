// Requests to the three components, with whole sentences where they fail. A key goes to engine and clearing only.

export interface Addresses {
  name: string;
  version: string;
  currency: string;
  engine: string;
  reporter: string;
  clearing: string;
  stream: string;
  time_zone?: string;
  /** Of the candles that the reporter keeps. */
  intervals?: string[];
}

export interface Page<T> {
  items: T[];
  next: string | null;
}

export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

const TIMEOUT_MS = 10_000;

/** Ask a component; return its JSON. Raises `ApiError` with a sentence for people; status 0: it cannot be reached. */
export async function ask<T>(base: string, path: string, key = "", method = "GET", body?: object, timeout_ms = TIMEOUT_MS): Promise<T> {
  const headers: Record<string, string> = {};
  if (key) headers.authorization = `Bearer ${key}`;
  if (body) headers["content-type"] = "application/json";
  const init: RequestInit = { method, headers, signal: AbortSignal.timeout(timeout_ms) };
  if (body) init.body = JSON.stringify(body);
  let reply: Response;
  try {
    reply = await fetch(base + path, init);
  } catch {
    throw new ApiError(0, `${base} cannot be reached; it is asked again in a moment.`);
  }
  const found: unknown = await reply.json().catch(() => undefined);
  if (reply.ok) return found as T;
  const told = (found as { message?: string } | undefined)?.message;
  throw new ApiError(reply.status, told ?? `${path} answered ${reply.status}.`);
}
