import type { Token } from './lexer.js';

/** Functions of one or two arguments that the evaluator knows, as LaTeX and as plain words. */
export const functionNames: ReadonlySet<string> = new Set([
  'sin', 'cos', 'tan', 'cot', 'sec', 'csc', 'arcsin', 'arccos', 'arctan', 'arccot', 'arcsec', 'arccsc', 'asin', 'acos', 'atan',
  'sinh', 'cosh', 'tanh', 'coth', 'sech', 'csch', 'arcsinh', 'arccosh', 'arctanh', 'arsinh', 'arcosh', 'artanh', 'asinh', 'acosh', 'atanh',
  'log', 'ln', 'lg', 'exp', 'abs', 'gcd', 'lcm', 'max', 'min', 'floor', 'ceil', 'det', 'tg', 'ctg', 'arctg', 'cosec', 'sgn', 'Re', 'Im', 'arg',
]);

export const greek: ReadonlySet<string> = new Set(
  ('alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi omicron rho varrho sigma ' +
    'varsigma tau upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega').split(' '),
);

export const symbolCommands: ReadonlySet<string> = new Set(['pi', 'infty', 'ell', 'hbar', 'angle', 'triangle', 'square', 'aleph', 'partial', 'nabla', 'oo']);

interface Spelling {
  readonly t: Token['t'];
  readonly v: string;
}

const op = (v: string): Spelling => ({ t: 'op', v });

/** LaTeX commands that are operators or brackets. */
export const operators: Readonly<Record<string, Spelling>> = {
  times: op('*'), cdot: op('*'), ast: op('*'), bullet: op('*'), div: op('/'), colon: op(':'), pm: op('pm'), mp: op('mp'),
  le: op('<='), leq: op('<='), leqslant: op('<='), leqq: op('<='), ge: op('>='), geq: op('>='), geqslant: op('>='), geqq: op('>='),
  lt: op('<'), gt: op('>'), ne: op('!='), neq: op('!='), not: op('not'), approx: op('~'), approxeq: op('~'), simeq: op('~'), sim: op('~'), doteq: op('~'),
  equiv: op('equiv'), cong: op('equiv'), in: op('in'), notin: op('notin'), cup: op('cup'), bigcup: op('cup'), cap: op('cap'), setminus: op('setminus'),
  backslash: op('setminus'), subset: op('subset'), subseteq: op('subset'), to: op('to'), rightarrow: op('to'), Rightarrow: op('to'),
  implies: op('to'), mapsto: op('to'), wedge: op(','), land: op(','), lor: op(','), vee: op(','), mid: op('|'), vert: op('|'), lvert: { t: 'open', v: 'abs' }, rvert: { t: 'close', v: 'abs' },
  '|': op('||'), Vert: op('||'), '%': op('%'), '\\': op('\\\\'), '&': op('&'), prime: op("'"), circ: op('deg'), degree: op('deg'), '$': { t: 'text', v: '$' }, '#': op('#'),
  '{': { t: 'open', v: '\\{' }, lbrace: { t: 'open', v: '\\{' }, '}': { t: 'close', v: '\\}' }, rbrace: { t: 'close', v: '\\}' },
  langle: { t: 'open', v: '<' }, rangle: { t: 'close', v: '>' }, lfloor: { t: 'open', v: 'floor' }, rfloor: { t: 'close', v: 'floor' },
  lceil: { t: 'open', v: 'ceil' }, rceil: { t: 'close', v: 'ceil' }, lbrack: { t: 'open', v: '[' }, rbrack: { t: 'close', v: ']' },
  lparen: { t: 'open', v: '(' }, rparen: { t: 'close', v: ')' }, _: op('_'), '*': op('*'), '-': op('-'), pmod: { t: 'cmd', v: 'pmod' },
};

/** Words with a meaning in answers, plain or inside `\text{}`; `any` in any case. */
export const plainWords: Readonly<Record<string, Spelling & { readonly any?: true }>> = {
  and: { ...op(','), any: true }, or: { ...op(','), any: true }, sqrt: { t: 'cmd', v: 'sqrt' }, cbrt: { t: 'cmd', v: 'cbrt' }, pi: { t: 'sym', v: '\\pi' },
  infinity: { t: 'sym', v: '\\infty', any: true }, infty: { t: 'sym', v: '\\infty' }, inf: { t: 'sym', v: '\\infty' }, oo: { t: 'sym', v: '\\infty' },
  percent: op('%'), percentage: op('%'), pct: op('%'), degrees: op('deg'), degree: op('deg'), deg: op('deg'), union: { ...op('cup'), any: true }, mod: op('mod'), theta: { t: 'sym', v: '\\theta' },
  alpha: { t: 'sym', v: '\\alpha' }, beta: { t: 'sym', v: '\\beta' }, lambda: { t: 'sym', v: '\\lambda' }, times: op('*'), frac: { t: 'cmd', v: 'frac' }, binom: { t: 'cmd', v: 'binom' },
};
