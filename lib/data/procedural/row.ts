import { z } from 'zod';

const rowSchema = z.object({
  /** Name of the family that drew it. */
  family: z.string().min(1),
  question: z.string().min(1),
  /** Texts of the options A, B, …; absent for an open-ended question. */
  options: z.array(z.string()).min(2).optional(),
  /** Label of the right option, or the answer itself. */
  answer: z.string().min(1),
  type: z.enum(['option', 'integer', 'boolean', 'text']),
  /** Worked steps for the warm start; not part of the question. */
  steps: z.string(),
});

/** One row as the generator writes it (JSON). */
export type ProceduralRow = z.infer<typeof rowSchema>;
export { rowSchema as proceduralRowSchema };
