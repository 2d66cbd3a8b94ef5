/** Writing systems a response can be checked for. */
export type Script = 'latin' | 'han' | 'japanese' | 'hangul' | 'cyrillic' | 'arabic' | 'devanagari' | 'greek';

const letters: Readonly<Record<Script, RegExp>> = {
  latin: /\p{Script=Latin}/gu,
  han: /\p{Script=Han}/gu,
  japanese: /[\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Han}]/gu,
  hangul: /\p{Script=Hangul}/gu,
  cyrillic: /\p{Script=Cyrillic}/gu,
  arabic: /\p{Script=Arabic}/gu,
  devanagari: /\p{Script=Devanagari}/gu,
  greek: /\p{Script=Greek}/gu,
};

/**
 * Share of a response's letters that belong to a writing system, formulas left out (their letters are Latin and Greek in
 * every language); 1 where there are no letters. What mixes languages while reasoning scores below 1.
 */
export function scriptShare(response: string, script: Script): number {
  const prose = response.replace(/\$[^$]*\$|\\\([^]*?\\\)|\\\[[^]*?\\\]|\\[a-zA-Z]+|<\/?[a-z_]+>/g, ' ');
  const all = prose.match(/\p{L}/gu)?.length ?? 0;
  return all === 0 ? 1 : (prose.match(letters[script])?.length ?? 0) / all;
}
