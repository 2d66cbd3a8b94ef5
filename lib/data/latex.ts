/** Content of the last `\boxed{…}` or `\fbox{…}` with balanced braces; undefined where there is none. */
export function lastBoxed(text: string): string | undefined {
  for (let at = lastBox(text, text.length); at >= 0; at = lastBox(text, at)) {
    const content = braced(text, text.indexOf('{', at));
    if (content !== undefined) return content.trim();
  }
  return undefined;
}

function lastBox(text: string, before: number): number {
  const head = text.slice(0, before);
  return Math.max(head.lastIndexOf('\\boxed{'), head.lastIndexOf('\\fbox{'));
}

function braced(text: string, open: number): string | undefined {
  let depth = 0;
  for (let i = open; i < text.length; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === '{') depth++;
    else if (text[i] === '}' && --depth === 0) return text.slice(open + 1, i);
  }
  return undefined;
}
