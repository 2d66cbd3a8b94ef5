/** Share of the given tags that occur exactly once: the soft format reward of open-r1. */
export function tagCount(response: string, tags: readonly string[]): number {
  if (tags.length === 0) return 1;
  return tags.filter((tag) => occurrences(response, tag) === 1).length / tags.length;
}

function occurrences(text: string, part: string): number {
  let n = 0;
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length)) n++;
  return n;
}
