const key =
  /["'](?:final_answer|answer_choice|answer|choice|prediction)["']\s?:\s?(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|(-?[\w.,%/]+)|\[([^[\]]*)\])/gi;

/** The last answer field of a JSON object in a text, well-formed or not; null where there is none. */
export function fromJson(text: string): string | null {
  if (!text.includes('{')) return null;
  let last: RegExpMatchArray | null = null;
  for (const match of text.matchAll(key)) last = match;
  if (last === null) return null;
  const [, double, single, bare, list] = last as readonly (string | undefined)[];
  return double === undefined ? (single ?? bare ?? list ?? null) : unescape(double);
}

/** A JSON string's value; its raw text where models wrote LaTeX with single backslashes. */
function unescape(quoted: string): string {
  if (/(?<!\\)(?:\\\\)*\\(?:[^"\\/nu]|n(?=[a-z])|[a-z]{2})/.test(quoted)) return quoted.replace(/\\"/g, '"');
  try {
    return JSON.parse(`"${quoted}"`) as string;
  } catch {
    return quoted;
  }
}
