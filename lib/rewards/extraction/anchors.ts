const article = String.raw`(?:the\s+)?`;
const quality = String.raw`(?:(?:final|correct|right|best|my|most\s+\w+|overall|selected)\s+){0,3}`;
const noun = String.raw`(?:answer(?:\s+choice)?s?|ans|choice|option|option\s+selected|result|solution)`;
const middle = String.raw`\s*(?:to\s+(?:the|this)\s+(?:question|problem)|here|selected)?\s*(?:\([^()\n]{0,20}\)\s*)?`;
const verb = String.raw`[*_"]{0,4}\s?(?:is|are|was|would\s+be|should\s+be|must\s+be|will\s+be|has\s+to\s+be|=|:|：)(?![a-z])[*_]{0,4}\s?:?`;

/** Phrases that announce *the* final answer; the last match counts. */
export const finalAnchors: readonly RegExp[] = [
  new RegExp(String.raw`\bfinal\s+(?:${noun})\b[^\n:=]{0,40}?(?:\bis\b|\bare\b|:|=|：)\s?:?`, 'gi'),
];

/** Phrases that announce an answer, strongest first; within one, the last match counts. */
export const anchors: readonly RegExp[] = [
  new RegExp(String.raw`\b${article}${quality}${noun}\b${middle}${verb}`, 'gi'),
  /(?:答案|答|最终答案|结果|Antwort|R[ée]ponse|Respuesta|Resposta|Risposta|Ответ|الإجابة|الجواب|답|答え|उत्तर|cevap|odpowiedź|svar|vastaus)\s?(?:是|为|為|est|ist|es|é|è)?\s?[:：=]/giu,
  /(?:答案|réponse|respuesta|Antwort|resposta|risposta)\s?(?:是|为|為|est|ist|es|é|è)\s/giu,
  /^[ \t]{0,4}\**A\s?:/gm,
  /\banswer\b(?=\s+[-$\\(\d*])/gi,
];

/** The text after the last match of a pattern; null where it does not match. */
export function afterLast(text: string, pattern: RegExp): string | null {
  let last: RegExpMatchArray | null = null;
  for (const match of text.matchAll(pattern)) last = match;
  if (last?.index === undefined) return null;
  const from = last.index + last[0].length;
  return text.slice(from, from + 4000);
}
