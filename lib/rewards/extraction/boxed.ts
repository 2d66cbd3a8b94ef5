/** A `\boxed{…}` in a text: `content` is what is inside, `start`..`end` the whole command. */
export interface Box {
  readonly content: string;
  readonly start: number;
  readonly end: number;
}

const command = /\\f?boxed(?![a-zA-Z])[ \t]*/y;

/**
 * All balanced `\boxed{…}` of a text, and `\boxed 7` with one token, outermost only, in order. Braces are counted, `\{`
 * and `\}` are letters, and an unbalanced box is no box. One pass: boxes that never close cost nothing extra.
 */
export function findBoxes(text: string): Box[] {
  if (!text.includes('boxed')) return [];
  const boxes: Box[] = [];
  // Start of the command for every brace that is open, -1 for other braces; and where its content starts.
  const starts: number[] = [];
  const opens: number[] = [];
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 92) {
      const end = commandEnd(text, i);
      if (end < 0) {
        // `\\\\boxed`, escaped once too often, is a box all the same.
        if (commandEnd(text, i + 1) < 0) i++;
      } else if (text[end] === '{') {
        starts.push(i);
        opens.push(end + 1);
        i = end;
      } else {
        const token = text.slice(end, end + 1);
        if (/^[0-9A-Za-z]$/.test(token) && /\s/.test(text[end - 1] ?? ''))
          boxes.push({ content: token, start: i, end: end + 1 });
        i = end - 1;
      }
    } else if (c === 123) {
      starts.push(-1);
      opens.push(i + 1);
    } else if (c === 125) {
      const start = starts.pop();
      const open = opens.pop();
      if (start !== undefined && open !== undefined && start >= 0)
        boxes.push({ content: text.slice(open, i), start, end: i + 1 });
    }
  }
  return outermost(boxes);
}

/** Where the `\boxed` command at `at` ends, its white space included; -1 for another command. */
function commandEnd(text: string, at: number): number {
  const next = text.charCodeAt(at + 1);
  if (next !== 98 && next !== 102) return -1;
  command.lastIndex = at;
  return command.test(text) ? command.lastIndex : -1;
}

/** Boxes are found as they close: an outer one comes after, and replaces, those inside it. */
function outermost(boxes: readonly Box[]): Box[] {
  const result: Box[] = [];
  for (const box of boxes) {
    while ((result.at(-1)?.start ?? -1) > box.start) result.pop();
    result.push(box);
  }
  return result;
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
