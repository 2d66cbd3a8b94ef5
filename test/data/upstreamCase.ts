/** Texts of options, for rows that only need some. */
export const choices = ['granite', 'pumice', 'slate', 'marble'] as const;

/**
 * A file in the fields of a public data set, content ours: what it is, its name, its rows (JSON Lines), document or text;
 * the adapter that `auto` must find (undefined: any); what becomes of its questions in order, and the first one's text.
 * `B/4` is option B of 4, `=text/4` the option of that text, `integer:5` a typed gold (`|` before alternatives),
 * `!reason` a ledger entry.
 */
export type Upstream = readonly [
  what: string,
  file: string,
  content: object | string,
  adapter: string | undefined,
  outcomes: readonly string[],
  question?: string,
];
