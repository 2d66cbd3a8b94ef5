/**
 * Verdicts per second on one core, and the slowest verdict on hostile input: `npx tsx bench/rewards/speed.ts`.
 */
import { verify, type Gold, type VerifyQuestion } from '../../lib/rewards/index.js';
import { hostile } from './hostile.js';

/** Milliseconds of processor time: other processes do not count. */
function cpu(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

const think = (answer: string): string =>
  `<think>${'Let us work through this step by step. '.repeat(20)}</think>\nThe answer is \\boxed{${answer}}.`;
const options = ['Mercury', 'Venus', 'Earth', 'Mars', 'Jupiter', 'Saturn'].map((text, i) => ({
  label: 'ABCDEF'[i] ?? '',
  text,
}));
const choice = (value: string): VerifyQuestion => ({
  form: 'multiple-choice',
  options,
  answer: { type: 'option', value },
});

const typed: readonly (readonly [VerifyQuestion, string])[] = [
  [choice('B'), 'B'],
  [choice('B'), 'B. Venus'],
  [choice('D'), 'Mars'],
  [choice('D'), '\\text{C}'],
  ['42', '42'],
  ['1234.5', '1,234.50'],
  ['3/4', '\\frac{3}{4}'],
  ['0.25', '25\\%'],
  ['12 cm', '0.12 m'],
  ['Paris', 'the city of Paris'],
  ['George Washington', 'George Washington.'],
  ['yes', 'No'],
  ['October 29, 1993', '29 October 1993'],
];
const symbolic: readonly (readonly [Gold, string])[] = [
  ['\\frac{\\sqrt{3}}{3}', '\\frac{1}{\\sqrt{3}}'],
  ['x^2+2x+1', '(x+1)^2'],
  ['\\frac{1}{2} + \\frac{\\pi}{4}', '\\frac{2+\\pi}{4}'],
  ['(3, \\frac{\\pi}{2})', '\\left(3, \\frac{\\pi}{2}\\right)'],
  ['[1, \\infty)', 'x \\ge 1'],
  ['\\sin 2x', '2\\sin x\\cos x'],
  ['\\frac{a+b}{ab}', '\\frac{1}{a}+\\frac{1}{b}'],
  ['2\\sqrt{3}+1', '1+\\sqrt{12}'],
  ['\\frac{-1\\pm\\sqrt{5}}{2}', '\\frac{\\sqrt5-1}{2}, \\frac{-\\sqrt5-1}{2}'],
  ['y = 2x + 3', '2x - y + 3 = 0'],
  ['\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}', '\\begin{bmatrix}1&2\\\\3&5\\end{bmatrix}'],
  ['e^{2x}', '(e^x)^2'],
  ['x^3 - 1', '(x-1)(x^2+x-1)'],
];

function rate(name: string, pairs: readonly (readonly [VerifyQuestion, string])[]): void {
  const rows = pairs.map(([gold, answer]) => [gold, think(answer)] as const);
  const run = (): void => {
    for (const [gold, response] of rows) verify(response, gold);
  };
  for (let i = 0; i < 300; i++) run();
  const started = cpu();
  let rounds = 0;
  while (cpu() - started < 2000) {
    run();
    rounds++;
  }
  const seconds = (cpu() - started) / 1000;
  console.log(`${name}: ${Math.round((rounds * rows.length) / seconds).toLocaleString('en')} verdicts/s on one core`);
}

rate('typed tier', typed);
rate('symbolic tier', symbolic);
const slowest = hostile().map(([name, gold, response]) => {
  const started = cpu();
  const { reason } = verify(response, gold);
  return { name, reason, ms: cpu() - started };
});
slowest.sort((a, b) => b.ms - a.ms);
console.log('\n| hostile input | ms | reason |\n|---|---|---|');
for (const { name, ms, reason } of slowest) console.log(`| ${name} | ${ms.toFixed(1)} | ${reason} |`);
