/**
 * A table looked up by text from outside. A Map has no `constructor` and no `valueOf`; an object literal would find them.
 */
export function lookup<T>(entries: Readonly<Record<string, T>>): ReadonlyMap<string, T> {
  return new Map(Object.entries(entries));
}
