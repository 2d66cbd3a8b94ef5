/**
 * Instructions that sources put around their questions ("Please reason step by step, and put your final answer within
 * \boxed{}."). They belong to the prompt template, not to the question, and are taken off.
 */
const LEADING: readonly RegExp[] = [
  /^(?:you should |please )[^\n]{0,200}?\\boxed\{\}[^\n]{0,60}?step[- ]by[- ]step\.\s*/i,
  // One line, or the sentences up to one, that asks for a box; a line that asks something itself is no instruction.
  /^[^\n?]{0,400}?\\boxed\{[^\n?]{0,80}?\}+[^\n?]{0,160}?[ \t]*\n+/,
  /^(?:please )?(?:answer|solve) the following [^\n.?]{0,80}[.:]\s*(?:\n|(?=[A-Z]))/i,
  /^please (?:choose|select) the (?:correct|right|best) answer to the question:\s*/i,
];

const TRAILING: readonly RegExp[] = [
  /\s*(?:let's think|please (?:think|reason)|think)\b[^\n]{0,120}step[- ]by[- ]step[^\n]{0,160}$/i,
  /\s*(?:please )?(?:put|place|output|give|write|present|return)\b[^\n]{0,120}\\boxed\{[^\n]{0,20}$/i,
  /\s*answer format:[^\n]*$/i,
];

/** The question without the instructions around it; the text itself where nothing would be left. */
export function stripInstructions(text: string): string {
  let question = text.trim();
  for (const pattern of LEADING) question = question.replace(pattern, '');
  for (const pattern of TRAILING) question = question.replace(pattern, '');
  question = question.trim();
  return question === '' ? text.trim() : question;
}

/** The user's turn of a prompt that was stored with its chat markup; other text as it is. */
export function stripChatMarkup(text: string): string {
  const turn = /<\|im_start\|>user\n([\s\S]*?)(?:<\|im_end\|>|$)/.exec(text);
  return (turn?.[1] ?? text).trim();
}
