/** Cases that are wrong themselves, or no question for a rule, with the argument. */
export const exclusions: Readonly<Record<string, string>> = {
  'inspect-ai/0154': 'the gold is empty: unscorable by design, not right',
  'inspect-ai/0155': 'the gold is empty: unscorable by design, not right',
  'lighteval/0008': "gold and prediction stand swapped: the gold is a model's text, the prediction a letter",
  'lighteval/0010': "gold and prediction stand swapped: the gold is a model's text, the prediction a letter",
  'lighteval/0274': 'the response equals the gold, the suite counts 0 (its extractor wants a phrase before the letter)',
  'lighteval/0285': 'two responses equal the gold letter by letter, the suite counts 0 (its gold is not delimited)',
  'lighteval/0289': 'four responses equal the gold letter by letter, the suite counts 0 (its gold is not delimited)',
  'nemo-gym/0053': 'a mocked LLM judge: the response says nothing about the gold',
};
