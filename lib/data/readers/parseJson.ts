/** Numbers that may not survive as such: integers of 16 and more digits, exponents of three and more. */
const RISKY = /\d{16}|\d[eE]\+?\d{3}/;
const STRING_OR_NUMBER = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?/g;

/**
 * `JSON.parse`, with numbers that JavaScript cannot hold (integers beyond 2^53, what would become infinite) as the text
 * that stands there: a gold answer is not rounded.
 */
export function parseJson(text: string): unknown {
  const value: unknown = JSON.parse(text);
  if (!RISKY.test(text)) return value;
  return JSON.parse(
    text.replace(STRING_OR_NUMBER, (token) => (token.startsWith('"') || isHeld(token) ? token : `"${token}"`)),
  );
}

function isHeld(token: string): boolean {
  const number = Number(token);
  return Number.isFinite(number) && (!/^-?\d+$/.test(token) || Number.isSafeInteger(number));
}
