import { parseTrainConfig } from '../../lib/training/config';

test('every setting has a default', () => {
  const config = parseTrainConfig({});
  expect(config.grpo).toMatchObject({
    samples: 8,
    temperature: 1,
    topP: 1,
    klCoef: 0.001,
    clipLow: 0.2,
    clipHigh: 0.2,
  });
  expect(parseTrainConfig(config)).toEqual(config);
});

test.each([
  [{ grpo: { samples: 1 } }, 'grpo.samples'],
  [{ grpo: { topP: 0 } }, 'grpo.topP'],
  [{ habit: { annotator: { wrong: 1.5 } } }, 'habit.annotator.wrong'],
  [{ grpo: { blend: 'best' } }, 'grpo.blend'],
  [{ seed: -1 }, 'seed'],
])('%j is refused with the name of the field', (settings, field) => {
  expect(() => parseTrainConfig(settings, 'train.yaml')).toThrow(
    expect.objectContaining({ code: 'ERR_SCHEMA', field, file: 'train.yaml' }) as Error,
  );
});

test('an unknown setting is refused', () => {
  expect(() => parseTrainConfig({ grpo: { step: 3 } })).toThrow(/step/);
});
