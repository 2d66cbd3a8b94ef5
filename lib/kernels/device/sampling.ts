import type binding = require('#binding');

import { type ArgumentSink } from './call.js';

/** The arguments of the native `sample`, with arrays of kind A: on the host, or tensors of a device; null: not wanted. */
export type SamplingArguments<A> = Replaced<SampledRows, A>;
/** What follows the number of threads. */
export type SampledRows = Parameters<typeof binding.sample> extends [number, ...infer Rows] ? Rows : never;
type Replaced<T extends readonly unknown[], A> = {
  [K in keyof T]: [Extract<T[K], ArrayBufferView>] extends [never] ? T[K] : T[K] | A | undefined;
};

/** Enters the arguments of the native `sample`, and where the kept set goes: `[rows, vocab]`, and the size of each row. */
export function encodeSampling<A>(
  to: ArgumentSink<A | ArrayBufferView>,
  args: SamplingArguments<A>,
  keptTokens: A | undefined,
  keptSizes: A | undefined,
): void {
  const [logits, type, rows, vocab, stride, settings, ...rest] = args;
  const [temperature, topK, topP, minP, typicalP, topNSigma, xtc, steps, bitmask, maskPerRow, ...more] = rest;
  const [banned, bannedOffsets, stop, stopOffsets, minTokens, biasTokens, , bias, ...histories] = more;
  const [prompt, promptOffsets, output, outputOffsets, repetition, presence, frequency, ngram, ...others] = histories;
  const [dry, breakers, breakerOffsets, seed, sequences, positions, sample, samples, status, ...results] = others;
  const [tokens, logprobs, rawLogprobs, ranks, entropy, supportMass, topN, topTokens, topLogprobs, ...last] = results;
  const [chosen, chosenOffsets, chosenLogprobs] = last;
  const setting = (i: number): number => (settings as Float64Array)[i] ?? 0;
  const perRow = (values: A | ArrayBufferView | undefined, scalar: number): void => {
    to.read(values);
    to.number(scalar);
  };
  const lists = (ids: A | ArrayBufferView | undefined, offsets: A | ArrayBufferView | undefined): void => {
    to.read(ids);
    to.read(offsets);
    to.number((ids as { length: number } | undefined)?.length ?? 0);
  };
  to.read(logits);
  to.number(type, rows, vocab, stride);

  to.number(setting(10));
  to.read(bitmask);
  const words = (bitmask as { length: number } | undefined)?.length ?? 0;
  to.number(maskPerRow && rows > 0 ? words / rows : words, maskPerRow ? 1 : 0);
  lists(banned, bannedOffsets);
  lists(stop, stopOffsets);
  perRow(minTokens, setting(11));
  lists(biasTokens, undefined);
  to.read(bias);
  lists(prompt, promptOffsets);
  lists(output, outputOffsets);
  perRow(repetition, setting(12));
  perRow(presence, setting(13));
  perRow(frequency, setting(14));
  perRow(ngram, setting(15));
  to.number(...(dry as Float64Array));
  lists(breakers, breakerOffsets);

  to.number((steps as Uint8Array).length, ...(steps as Uint8Array));
  [temperature, topK, topP, minP, typicalP, topNSigma, xtc].forEach((values, i) => {
    perRow(values, setting(i));
  });
  to.number(setting(7), setting(8), setting(9), setting(16));
  to.integer(seed);
  to.read(sequences);
  to.read(positions);
  to.number(sample, samples);
  for (const array of [status, tokens, logprobs, rawLogprobs, ranks, entropy, supportMass]) to.write(array);
  to.number(topN);
  to.write(topTokens);
  to.write(topLogprobs);
  lists(chosen, chosenOffsets);
  to.write(chosenLogprobs);
  to.write(keptTokens);
  to.write(keptSizes);
}
