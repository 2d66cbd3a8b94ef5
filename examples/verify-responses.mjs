// Judge model outputs by rules: accuracy, format, their AND, and the reason.
// Run: node examples/verify-responses.mjs
import { verify } from 'crossthink';

const question = {
  form: 'multiple-choice',
  options: [
    { label: 'A', text: 'the Treaty of Westphalia' },
    { label: 'B', text: 'the Congress of Vienna' },
  ],
  answer: { type: 'option', value: 'A' },
};

const responses = [
  '<think>1648, so Westphalia.</think> \\boxed{A}',
  '<think>1648, so Westphalia.</think> \\boxed{the Treaty of Westphalia}',
  'It is \\boxed{A}', // right, but no <think> block
  '<think>1815?</think> \\boxed{B}',
  '<think>Either.</think> \\boxed{A or B}', // hedging is wrong
];

for (const response of responses) {
  const { reward, accuracy, format, reason } = verify(response, question);
  console.log(`reward ${reward}  accuracy ${accuracy}  format ${format}  ${reason}`);
}
