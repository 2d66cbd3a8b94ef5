import fc from 'fast-check';

// The same cases on every run, so that a red test is a change of the code; FAST_CHECK_SEED=$RANDOM looks for new ones.
fc.configureGlobal({ seed: Number(process.env['FAST_CHECK_SEED'] ?? 20251122) });
