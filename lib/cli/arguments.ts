import { InvalidArgumentError } from 'commander';

/** A whole number, zero or more. */
export function parseCount(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isSafeInteger(value) || value < 0) {
    throw new InvalidArgumentError('expected a whole number, zero or more.');
  }
  return value;
}

/** A share: above 0, at most 1. */
export function parseShare(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value > 0 && value <= 1))
    throw new InvalidArgumentError('expected a number above 0 and at most 1.');
  return value;
}

/** `min..max`, both from 0 to 1. */
export function parseBand(text: string): { min: number; max: number } {
  const match = /^([\d.]+)\.\.([\d.]+)$/.exec(text);
  const [min, max] = [Number(match?.[1]), Number(match?.[2])];
  if (match === null || !(min >= 0 && max <= 1 && min <= max)) {
    throw new InvalidArgumentError('expected min..max with 0 <= min <= max <= 1, for example 0.1..0.9.');
  }
  return { min, max };
}
