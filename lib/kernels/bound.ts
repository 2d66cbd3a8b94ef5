import { invalidValue } from '../errors.js';

/** Memory that a bound call uses: it must not become less. */
interface Held {
  readonly name: string;
  readonly array: ArrayBufferView;
  readonly buffer: ArrayBufferLike;
  readonly end: number;
}

/** One entry a buffer: of its array that reaches furthest. */
function heldOf(args: readonly unknown[], live: Readonly<Record<string, ArrayBufferView | undefined>>): Held[] {
  const names = new Map(Object.entries(live).map(([name, array]) => [array, name]));
  const held = new Map<ArrayBufferLike, Held>();
  for (const array of args) {
    if (!ArrayBuffer.isView(array)) continue;
    const { buffer } = array;
    const end = array.byteOffset + array.byteLength;
    if (end >= (held.get(buffer)?.end ?? 0)) held.set(buffer, { name: names.get(array) ?? '', array, buffer, end });
  }
  return [...held.values()];
}

function copyOf<T>(value: T, live: ReadonlySet<unknown>): T {
  if (!ArrayBuffer.isView(value) || live.has(value)) return value;
  return (value as unknown as { slice(): T }).slice();
}

/**
 * Binds a native call to its arrays: what comes back repeats the call on what the `live` ones then hold, by name for
 * errors. Every other array, checked values among them, is copied now, so that no later write can undo the checks. Arrays
 * are read through their addresses: before each call their buffers are looked at, which detaching and shrinking show in.
 */
export function bindCall<A extends readonly unknown[]>(
  bind: (...args: A) => () => void,
  args: A,
  live: Readonly<Record<string, ArrayBufferView | undefined>>,
): () => void {
  const arrays = new Set(Object.values(live));
  const kept = args.map((value) => copyOf(value, arrays)) as unknown as A;
  const run = bind(...kept);
  const held = heldOf(kept, live); // Copies too: this keeps them alive.
  return () => {
    for (const { buffer, end, name, array } of held) {
      if (buffer.byteLength >= end) continue;
      const hint = 'Its buffer was transferred or shrunk: bind again';
      throw invalidValue(name, 'in the memory it was bound with', array, hint);
    }
    run();
  };
}
