/**
 * Whether a regular expression from a data set runs in time that cannot explode on a response: it compiles, has no
 * repetition inside a repetition (`(a+)+`), no alternatives inside one (`(a|ab)*`), and no back-reference.
 */
export function isSafePattern(source: string): boolean {
  try {
    new RegExp(source, 'g');
  } catch {
    return false;
  }
  if (/\\[1-9]|\\k</.test(source)) return false;
  const text = source.replace(/\\./gs, 'x').replace(/\[(?:\^)?\]?[^\]]*\]/g, 'x');
  // What a group holds, innermost first: whether it repeats or branches inside.
  const open: { repeats: boolean; branches: boolean }[] = [{ repeats: false, branches: false }];
  for (let i = 0; i < text.length; i++) {
    const top = open.at(-1);
    if (top === undefined) return false;
    const c = text[i];
    if (c === '(') open.push({ repeats: false, branches: false });
    else if (c === '|') top.branches = true;
    else if (c === '*' || c === '+' || /^\{\d*,\d*\}/.test(text.slice(i, i + 12))) top.repeats = true;
    else if (c === ')') {
      open.pop();
      const outer = open.at(-1);
      if (outer === undefined) return false;
      const repeated = /^(?:[*+]|\{\d+,?\d*\})/.test(text.slice(i + 1, i + 13));
      if (repeated && (top.repeats || top.branches)) return false;
      outer.repeats ||= top.repeats || repeated;
    }
  }
  return true;
}
