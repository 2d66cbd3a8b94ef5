/** A seeded generator of answer-like strings: formulas, lists, prose, broken LaTeX, raw noise. */
export function generator(seed: number): () => string {
  let state = seed >>> 0;
  const random = (n: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
  const pick = (list: readonly string[]): string => list[random(list.length)] ?? '';
  const atoms = [
    '0',
    '1',
    '2',
    '7',
    '12',
    '3.5',
    '0.25',
    '1,234',
    'x',
    'y',
    'n',
    '\\pi',
    'e',
    'i',
    '\\infty',
    '5!',
    '10\\%',
    '90^\\circ',
    'x_1',
    'f(x)',
    '\\alpha',
    '2\\text{ cm}',
  ];
  const words = [
    'Paris',
    'yes',
    'no',
    'true',
    'the',
    'odd',
    'E. coli',
    'A',
    'B',
    'C',
    'I',
    'not',
    'and',
    'or',
    'because',
    '12:30',
    'May 5, 1999',
    '$',
    '**',
    '\\text{',
    '}',
    '{',
    '\\boxed{',
    '\\frac',
    '^',
    '_',
    '&',
    '\\\\',
    '|',
    ':=',
    '<think>',
    '</think>',
    '\u200b',
    '½',
    '−',
    '×',
    '\ud800',
  ];
  const formula = (depth: number): string => {
    if (depth <= 0) return pick(atoms);
    const a = (): string => formula(depth - 1 - random(2));
    switch (random(16)) {
      case 0:
        return `${a()}+${a()}`;
      case 1:
        return `${a()}-${a()}`;
      case 2:
        return `${a()}${a()}`;
      case 3:
        return `\\frac{${a()}}{${a()}}`;
      case 4:
        return `\\sqrt{${a()}}`;
      case 5:
        return `(${a()})^{${a()}}`;
      case 6:
        return `\\${pick(['sin', 'cos', 'ln', 'log_2', 'tan', 'arctan', 'exp'])}(${a()})`;
      case 7:
        return `(${a()}, ${a()})`;
      case 8:
        return `\\{${a()}, ${a()}\\}`;
      case 9:
        return `${a()} ${pick(['=', '<', '\\le', '\\ne', '\\in', '\\approx', '\\cup', ':'])} ${a()}`;
      case 10:
        return `${a()}, ${a()}`;
      case 11:
        return `\\pm ${a()}`;
      case 12:
        return `[${a()}, ${a()})`;
      case 13:
        return `|${a()}|`;
      case 14:
        return `\\begin{pmatrix}${a()}&${a()}\\\\${a()}&${a()}\\end{pmatrix}`;
      default:
        return `\\sum_{k=1}^{${a()}} ${a()}`;
    }
  };
  return () => {
    const kind = random(10);
    if (kind < 6) return formula(1 + random(4));
    if (kind < 8) return Array.from({ length: 1 + random(6) }, () => pick(words)).join(' ');
    return Array.from({ length: 1 + random(12) }, () => (random(2) === 0 ? pick(atoms) : pick(words))).join('');
  };
}
