const clock = /^(\d{1,2})(?::(\d{2}))?(?::(\d{2}))?\s*(a\.?m\.?|p\.?m\.?|o'clock)?$/;

/** Seconds after midnight, and whether the half of the day is stated; null where the text is no time of day. */
function readTime(text: string): { seconds: number; halfKnown: boolean } | null {
  const match = clock.exec(text);
  if (match === null || (match[2] === undefined && match[4] === undefined)) return null;
  let hours = Number(match[1]);
  const half = match[4]?.replace(/\./g, '').slice(0, 2);
  if (hours > 24 || Number(match[2] ?? 0) > 59 || ((half === 'am' || half === 'pm') && hours > 12)) return null;
  if (half === 'pm' && hours < 12) hours += 12;
  if (half === 'am' && hours === 12) hours = 0;
  const halfKnown = half === 'am' || half === 'pm' || hours > 12;
  return { seconds: hours * 3600 + Number(match[2] ?? 0) * 60 + Number(match[3] ?? 0), halfKnown };
}

/**
 * Whether two times of day are the same; null where either is none. A time without a.m. or p.m. equals either half, as
 * a unit that one side leaves out does.
 */
export function sameTime(gold: string, answer: string): boolean | null {
  const g = readTime(gold);
  const a = readTime(answer);
  if (g === null || a === null) return null;
  if (g.halfKnown === a.halfKnown) return g.seconds === a.seconds;
  return g.seconds % 43200 === a.seconds % 43200;
}

const months = 'january february march april may june july august september october november december'.split(' ');

function monthOf(word: string): number {
  return word.length < 3
    ? -1
    : months.findIndex(
        (name) =>
          name.startsWith(word) && (word.length === 3 || word === name || (word === 'sept' && name === 'september')),
      );
}

/** `year-month-day`; null where the text is no full date. Numeric dates are read only where the year comes first. */
function readDate(text: string): string | null {
  const clean = text
    .replace(/(\d)(?:st|nd|rd|th)\b/g, '$1')
    .replace(/[,.]/g, ' ')
    .replace(/\b(?:on|of)\b/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  const iso = /^(\d{4})[-/](\d{1,2})[-/](\d{1,2})$/.exec(clean);
  if (iso !== null) return [iso[1], iso[2], iso[3]].map(Number).join('-');
  const monthFirst = /^([a-z]+) (\d{1,2}) (\d{4})$/.exec(clean);
  const dayFirst = /^(\d{1,2}) ([a-z]+) (\d{4})$/.exec(clean);
  const month = monthOf(monthFirst?.[1] ?? dayFirst?.[2] ?? '');
  const match = monthFirst ?? dayFirst;
  if (match === null || month < 0) return null;
  return `${Number(match[3])}-${month + 1}-${Number(monthFirst?.[2] ?? dayFirst?.[1])}`;
}

/** Whether a text is a full date and nothing else. */
export function isDate(text: string): boolean {
  return text.length < 40 && readDate(text.toLowerCase().trim()) !== null;
}

/** Whether two full dates are the same; null where either is none. */
export function sameDate(gold: string, answer: string): boolean | null {
  const g = readDate(gold);
  const a = g === null ? null : readDate(answer);
  return g === null || a === null ? null : g === a;
}
