/** A `\boxed{…}` in a text: `content` is what is inside, `start`..`end` the whole command. */
export interface Box {
  readonly content: string;
  readonly start: number;
  readonly end: number;
}

const command = /\\f?boxed(?![a-zA-Z])[ \t]*/g;

/**
 * All balanced `\boxed{…}` (and `\fbox`-like `\fboxed`, and `\boxed 7` with one token) of a text, outermost only, in
 * order. Braces are counted, `\{` and `\}` are letters, and an unbalanced box is no box. Linear in the text: a box that
 * never closes cannot make a later scan start over, because the depth at every brace is known from one pass.
 */
export function findBoxes(text: string): Box[] {
  if (!text.includes('boxed')) return [];
  const commands = [...text.matchAll(command)];
  const closes = matchBraces(text, new Set(commands.map((match) => match.index + match[0].length)));
  const boxes: Box[] = [];
  let from = 0;
  for (const match of commands) {
    const start = match.index;
    if (start < from) continue;
    const open = start + match[0].length;
    if (text[open] === '{') {
      const close = closes.get(open);
      if (close === undefined) continue;
      boxes.push({ content: text.slice(open + 1, close), start, end: close + 1 });
      from = close + 1;
    } else {
      const token = /^[0-9A-Za-z]/.exec(text.slice(open, open + 1));
      if (token === null || match[0].length === match[0].trimEnd().length) continue;
      boxes.push({ content: token[0], start, end: open + 1 });
      from = open + 1;
    }
  }
  return boxes;
}

/** Index of the closing brace of those of the `wanted` opening braces that have one. */
function matchBraces(text: string, wanted: ReadonlySet<number>): Map<number, number> {
  const closes = new Map<number, number>();
  const open: number[] = [];
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 92) {
      i++;
    } else if (c === 123) {
      open.push(i);
    } else if (c === 125) {
      const start = open.pop();
      if (start !== undefined && wanted.has(start)) closes.set(start, i);
    }
  }
  return closes;
}

const connector =
  /^(?:[\s$,;.&]|\\[,;:!()[\]\s]|\\q?quad|\\(?:text|mathrm|mbox)\{|\}|\band\b|\bor\b|[a-zA-Z]\w?_?\{?\w?\}?\s*=|\*\*)*$/;

/** The last box, with the boxes before it that only commas, `and`, `or` or nothing stand between: `\boxed{1} and \boxed{2}`. */
export function boxRun(text: string, boxes: readonly Box[]): readonly Box[] {
  let first = boxes.length - 1;
  while (first > 0 && boxes.length - first < 64) {
    const previous = boxes[first - 1];
    const current = boxes[first];
    if (previous === undefined || current === undefined || current.start - previous.end > 48) break;
    const gap = text.slice(previous.end, current.start);
    if (gap !== '' && (!connector.test(gap) || !/,|;|and|or/.test(gap))) break;
    first--;
  }
  return first < 0 ? [] : boxes.slice(first);
}
