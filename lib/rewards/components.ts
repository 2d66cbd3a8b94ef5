/** Share of the given tags that occur exactly once: the soft format reward of open-r1. */
export function tagCount(response: string, tags: readonly string[]): number {
  const present = tags.filter((tag) => response.split(tag).length === 2).length;
  return present / tags.length;
}
