// Times as people read them, in the market's time zone or in the browser's own.

export class Clock {
  private readonly time: Intl.DateTimeFormat;
  private readonly minute: Intl.DateTimeFormat;
  private readonly date: Intl.DateTimeFormat;

  /** zone: an IANA name such as "UTC"; undefined: the browser's. */
  constructor(readonly zone: string | undefined) {
    const timeZone = zone;
    const hour12 = false;
    this.time = new Intl.DateTimeFormat("en-GB", { timeZone, hour12, timeStyle: "medium" });
    this.minute = new Intl.DateTimeFormat("en-GB", { timeZone, hour12, timeStyle: "short" });
    this.date = new Intl.DateTimeFormat("en-GB", { timeZone, day: "2-digit", month: "short" });
  }

  /** Show the time of day of an RFC 3339 text. */
  at(text: string): string {
    return this.time.format(milliseconds(text));
  }

  /** Show the time of day of seconds since 1970. */
  atSeconds(seconds: number): string {
    return this.time.format(seconds * 1000);
  }

  /** Show hour and minute of seconds since 1970. */
  minuteOf(seconds: number): string {
    return this.minute.format(seconds * 1000);
  }

  /** Show the day of seconds since 1970. */
  dateOf(seconds: number): string {
    return this.date.format(seconds * 1000);
  }
}

/** Read an RFC 3339 time with nanoseconds, in milliseconds since 1970. */
export function milliseconds(text: string): number {
  return Date.parse(text.replace(/(\.\d{3})\d*Z$/, "$1Z"));
}

/** Say how long ago something was. */
export function ago(age_ms: number): string {
  if (age_ms < 1500) return "now";
  const seconds = Math.round(age_ms / 1000);
  if (seconds < 60) return `${seconds} s ago`;
  return seconds < 3600 ? `${Math.floor(seconds / 60)} min ago` : `${Math.floor(seconds / 3600)} h ago`;
}
