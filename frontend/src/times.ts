// Times are rendered by the server in UTC; here each <time data-time> is told in the user's time zone.
type Look = "date" | "time" | "minute" | "second";

const LOOKS: Record<Look, Intl.DateTimeFormatOptions> = {
  date: { year: "numeric", month: "short", day: "numeric" },
  time: { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" },
  minute: { year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" },
  second: { year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" },
};

/** Return the user's time zone: the preference that the page carries, else the browser's. */
export function timeZone(): string | undefined {
  const wanted = document.body.dataset["timeZone"];
  if (!wanted) return undefined;
  try {
    new Intl.DateTimeFormat(undefined, { timeZone: wanted });
    return wanted;
  } catch {
    return undefined;
  }
}

/** Return what tells a moment in the user's time zone. */
export function teller(options: Intl.DateTimeFormatOptions): (at: Date) => string {
  const zone = timeZone();
  const format = new Intl.DateTimeFormat("en-GB", zone ? { ...options, timeZone: zone } : options);
  return (at) => format.format(at);
}

export function localTimes(root: ParentNode): void {
  for (const node of root.querySelectorAll<HTMLTimeElement>("time[data-time]")) {
    const at = new Date(node.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    const look = LOOKS[node.dataset["time"] as Look] ?? LOOKS.minute;
    node.textContent = teller(look)(at);
    node.title = `${at.toISOString().slice(0, 19).replace("T", " ")} UTC`;
  }
}
