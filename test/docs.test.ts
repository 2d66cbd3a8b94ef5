import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import ts from 'typescript';
import * as library from '../lib/index.js';

const root = resolve(__dirname, '..');
const pages = [
  ...['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md'],
  ...['docs', 'docs/guides', 'recipes'].flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((name) => name.endsWith('.md'))
      .map((name) => `${folder}/${name}`),
  ),
];
const textOf = (page: string): string => readFileSync(join(root, page), 'utf8');
const blocksOf = (page: string, language: string): string[] =>
  [...textOf(page).matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\``, 'gm'))].map(([, code]) => code ?? '');

it('the code blocks fit the types of the library', () => {
  const sources = new Map<string, string>();
  for (const page of pages) {
    for (const [i, code] of blocksOf(page, 'ts').entries()) {
      sources.set(join(root, 'test', `${page.replaceAll('/', '_')}_${i}.mts`), code);
    }
  }
  expect(sources.size).toBeGreaterThan(6);
  const options: ts.CompilerOptions = {
    ...{ noEmit: true, strict: true, skipLibCheck: true, types: ['node'], target: ts.ScriptTarget.ES2022 },
    ...{ lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts', 'lib.es2024.string.d.ts'] },
    ...{ module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext },
    paths: { crossthink: [join(root, 'lib/index.ts')] },
  };
  const host = ts.createCompilerHost(options);
  const onDisk = { ...host };
  host.fileExists = (file) => sources.has(file) || onDisk.fileExists(file);
  host.readFile = (file) => sources.get(file) ?? onDisk.readFile(file);
  host.getSourceFile = (file, language) => {
    const text = sources.get(file);
    return text === undefined ? onDisk.getSourceFile(file, language) : ts.createSourceFile(file, text, language);
  };
  const program = ts.createProgram([...sources.keys()], options, host);
  const wrong: string[] = [];
  for (const file of sources.keys()) {
    for (const { code, messageText } of ts.getPreEmitDiagnostics(program, program.getSourceFile(file))) {
      const text = ts.flattenDiagnosticMessageText(messageText, ' ');
      // A block may speak of values of the reader's, which are then of type any; what the library exports is imported.
      const missing = /(?:name|property) '(\w+)'/.exec(text)?.[1];
      if ([2304, 2552, 18004].includes(code) && missing !== undefined && !(missing in library)) continue;
      wrong.push(`${file}: ${code} ${text}`);
    }
  }
  expect(wrong).toEqual([]);
});

describe('commands', () => {
  const main = join(root, 'dist/cli/main.js');
  const help = new Map<string, string>();
  const helpOf = (words: string[]): string => {
    const key = words.join(' ');
    const known = help.get(key) ?? execFileSync(process.execPath, [main, ...words, '--help'], { encoding: 'utf8' });
    help.set(key, known);
    return known;
  };

  it.each(pages.filter((page) => blocksOf(page, 'sh').some((code) => code.includes('crossthink '))))(
    '%s gives options that they have',
    (page) => {
      const lines = blocksOf(page, 'sh')
        .join('\n')
        .replace(/\\\n/g, ' ')
        .split('\n')
        .map((line) => /(?:^|\s)crossthink ([a-z].*)/.exec(line)?.[1]?.replace(/\s#.*|[|;&<>].*/g, ''))
        .filter((line) => line !== undefined);
      const commands = (text: string): string[] =>
        [...text.matchAll(/^ {2}([a-z]+)\b/gm)].map(([, name]) => name ?? '');
      for (const line of lines) {
        const [command = '', second = ''] = line.split(/\s+/);
        expect(commands(helpOf([]))).toContain(command);
        const nested = commands(helpOf([command]).split('Commands:')[1] ?? '').includes(second);
        const text = helpOf(nested ? [command, second] : [command]);
        for (const [, option] of line.matchAll(/(?:^|\s)(--[a-z-]+)/g))
          expect([line, text]).toEqual([line, expect.stringContaining(option ?? '')]);
      }
      expect(lines.length).toBeGreaterThan(0);
    },
  );
});

it.each(pages)('the links of %s lead somewhere', (page) => {
  const links = [...textOf(page).matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)].map(([, link]) => link ?? '');
  const local = links.filter((link) => !/^[a-z]+:/.test(link));
  expect(local.filter((link) => !existsSync(resolve(root, dirname(page), link)))).toEqual([]);
});
