import { z } from 'zod';
import { readYamlAs } from '../data/yamlFile.js';

const schema = z.strictObject({
  /** The model that writes the questions. */
  model: z.string().min(1),
  topics: z.record(z.string(), z.array(z.string().min(1)).min(1)),
  difficulties: z.array(z.string().min(1)).min(1),
  /** Questions for each subtopic and difficulty. */
  count: z.number().int().positive().default(1),
  form: z.enum(['multiple-choice', 'open-ended']).default('multiple-choice'),
  /** Options of a multiple-choice question. */
  options: z.number().int().min(2).max(26).default(10),
  temperature: z.number().min(0).default(1),
  maxTokens: z.number().int().positive().default(4096),
  /** Who solves them, to vote on the gold; the same model unless said otherwise. */
  solver: z
    .strictObject({
      model: z.string().min(1).optional(),
      temperature: z.number().min(0).default(1),
      maxTokens: z.number().int().positive().default(4096),
    })
    .prefault({}),
  /** Solutions of each question. */
  samples: z.number().int().positive().default(8),
  /** Share of the solutions that must agree. */
  minShare: z.number().min(0).max(1).default(0.5),
  source: z.string().min(1).default('synthetic'),
  domain: z.enum(['general', 'math']).default('general'),
  licence: z.string().default('see teacher model'),
});

/** What `crossthink synthesize` makes: topics, who writes and who solves, how golds are voted. */
export type SynthesisSpec = z.output<typeof schema>;

/** Reads a specification (YAML or JSON) and fills in defaults; errors name the file and the field. */
export function readSynthesisSpec(file: string): Promise<SynthesisSpec> {
  return readYamlAs(file, 'specification', schema);
}
