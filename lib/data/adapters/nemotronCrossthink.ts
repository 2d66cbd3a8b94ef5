import { asObject, isRowObject, optionalText } from '../fields.js';
import { RowProblem } from '../ledger.js';
import { defineAdapter } from './adapter.js';
import { lastUserText } from './messages.js';
import { goldText, questionWithGold } from './promptRows.js';

/**
 * Nemotron-CrossThink QA and Math in NVIDIA's own rows. Written from the fields that three third-party loaders agree on
 * (PROVENANCE of the test data); the original files were not at hand, hence unverified. `meta_data` tells it from verl.
 */
export const nemotronCrossthinkOriginal = defineAdapter({
  name: 'nemotron-crossthink-original',
  aliases: ['nemotron-crossthink-math'],
  source: 'nemotron-crossthink',
  description: 'Nemotron-CrossThink, NVIDIA rows: {data_source, prompt[], reward_model, meta_data}; unverified',
  licence: 'CC-BY-4.0',
  domain: 'general',
  recognises: (row) => isRowObject(row) && isRowObject(row['meta_data']) && isRowObject(row['reward_model']),
  read(row) {
    const fields = asObject(row);
    const gold = asObject(fields['reward_model'])['ground_truth'];
    const meta = isRowObject(fields['meta_data']) ? fields['meta_data'] : {};
    const text = optionalText(meta, 'question') ?? lastUserText(fields['prompt']);
    if (text === undefined)
      throw new RowProblem('missing-field', 'neither meta_data.question nor a message of the user');
    const tags = `${optionalText(fields, 'data_source') ?? ''} ${Object.keys(meta).join(' ')}`;
    const domain = /math|persona/i.test(tags) ? 'math' : 'general';
    return { ...questionWithGold(text, goldText(gold), domain), domain };
  },
});
