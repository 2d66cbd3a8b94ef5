// `import` of the same, single CommonJS implementation: no second copy of anything. Node finds the names by scanning the
// CommonJS output; keep lib/index.ts to plain `export { … } from`, which it can read (scripts/test-package.sh checks).
export * from './index.js';
