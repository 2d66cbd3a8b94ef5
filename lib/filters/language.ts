import { drop } from '../data/ledger.js';
import type { Filter } from './filter.js';

/** Languages that `detectLanguage` tells apart; `und` where a text has too few words, as formulas do. */
export type Language = 'en' | 'de' | 'fr' | 'es' | 'it' | 'pt' | 'zh' | 'ja' | 'ko' | 'ru' | 'ar' | 'hi' | 'und';

const SCRIPTS: readonly (readonly [Language, RegExp])[] = [
  ['ja', /[\p{Script=Hiragana}\p{Script=Katakana}]/gu],
  ['ko', /\p{Script=Hangul}/gu],
  ['zh', /\p{Script=Han}/gu],
  ['ru', /\p{Script=Cyrillic}/gu],
  ['ar', /\p{Script=Arabic}/gu],
  ['hi', /\p{Script=Devanagari}/gu],
];

/** The commonest short words of languages in Latin script. */
const WORDS: Partial<Record<Language, ReadonlySet<string>>> = {
  en: words(
    'the of and to in is that it for was on are with as his they at be this from have or by one had not but what',
  ),
  de: words(
    'der die das und ist nicht ein eine zu von mit den auf für im dem sich des auch es wie wird sind welche aus',
  ),
  fr: words('le la les des et est un une du que dans pour qui par sur pas plus avec ce se sont quelle quel au aux il'),
  es: words('el la los las de que y en un una es por con para se del al lo como más su cuál qué son no está'),
  it: words('il lo la gli le di che e è un una per con del della nel si sono come più quale non dei alla da'),
  pt: words('o a os as de que e em um uma é por com para se do da no na como mais qual são não dos ao'),
};

function words(list: string): ReadonlySet<string> {
  return new Set(list.split(' '));
}

/**
 * The language of a text: by script where it is not Latin, by common words where it is. A text of fewer than four words
 * outside formulas is `und`.
 */
export function detectLanguage(text: string): Language {
  const prose = text.replace(/\$[^$]*\$|\\\([\s\S]*?\\\)|\\\[[\s\S]*?\\\]|\\[a-zA-Z]+/g, ' ');
  const letters = prose.match(/\p{L}/gu)?.length ?? 0;
  for (const [language, pattern] of SCRIPTS) {
    const share = (prose.match(pattern)?.length ?? 0) / Math.max(letters, 1);
    if (share > (language === 'ja' ? 0.1 : 0.25)) return language;
  }
  const tokens = prose.toLowerCase().match(/\p{L}{2,}|\b[aeiouyéè]\b/gu) ?? [];
  if (tokens.length < 4) return 'und';
  let best: Language = 'und';
  let most = 0;
  for (const [language, common] of Object.entries(WORDS) as [Language, ReadonlySet<string>][]) {
    const hits = tokens.filter((token) => common.has(token)).length;
    if (hits > most) [best, most] = [language, hits];
  }
  return best;
}

/** Keeps questions in these languages (`language`); texts too short to tell are kept. */
export function languages(keep: readonly string[]): Filter {
  return {
    name: 'language',
    check: ({ question }) => {
      const language = detectLanguage(question);
      if (language === 'und' || keep.includes(language)) return undefined;
      return drop('language', `the question is in ${language}; kept: ${keep.join(', ')}`);
    },
  };
}
