import { Command } from 'commander';
import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { registerSynthesize } from '../../lib/cli/synthesize.js';
import { type Question, questionSchema } from '../../lib/data/question.js';
import { temporaryFolder } from '../data/fixtures.js';

const folder = temporaryFolder();
const at = (name: string): string => join(folder.path, name);
const spec = folder.write(
  'spec.yaml',
  'model: teacher\ntopics: { Law: [contracts, torts] }\ndifficulties: [easy, hard]\ncount: 2\noptions: 2\nsamples: 3\n',
);

async function run(...args: readonly string[]): Promise<string> {
  const program = new Command().exitOverride();
  registerSynthesize(program);
  const written: string[] = [];
  const spy = jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
    written.push(String(text));
    return true;
  });
  try {
    await program.parseAsync(['synthesize', ...args], { from: 'user' });
  } finally {
    spy.mockRestore();
  }
  return written.join('');
}

let server: Server;
let baseUrl = '';
let asked = 0;
/** Requests answered before the endpoint breaks down. */
let lasting = Infinity;
const keys = new Set<string | undefined>();

/** A teacher that writes questions of two options, one of them broken, and a solver that says B two times of three. */
function answerTo(body: { messages: { content: string }[] }): string {
  const said = body.messages.map(({ content }) => content).join('\n');
  if (!said.startsWith('Write a')) return `<think>t</think>\\boxed{${asked % 3 === 0 ? 'A' : 'B'}}`;
  if (said.includes('torts') && said.includes('hard') && said.includes('number 2')) return 'I cannot.';
  const question = `Who is liable, ${said.slice(said.indexOf('Topic'), said.indexOf('\n'))} ${said.includes('number 2') ? 'again' : ''}?`;
  return JSON.stringify({ question, options: ['Ann', 'Bob'], topic: 'Law' });
}

beforeAll(async () => {
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      keys.add(request.headers.authorization);
      if (asked >= lasting) {
        response.writeHead(503).end();
        return;
      }
      asked++;
      const content = answerTo(JSON.parse(body) as Parameters<typeof answerTo>[0]);
      response.writeHead(200).end(JSON.stringify({ choices: [{ message: { content } }] }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.close();
});

describe('crossthink synthesize', () => {
  const common = (out: string): string[] => [
    'run',
    spec,
    '--base-url',
    baseUrl,
    '--out',
    at(out),
    '--tries',
    '1',
    '--json',
  ];

  it('run: goes on with what an endpoint left undone, and never asks twice', async () => {
    lasting = 12;
    await expect(run(...common('one'), '--concurrency', '1')).rejects.toMatchObject({ code: 'ERR_INCOMPLETE' });
    expect(asked).toBe(12);
    lasting = Infinity;
    process.env['TEST_SYNTHESIS_KEY'] = 'secret';
    const said = await run(...common('one'), '--concurrency', '1', '--api-key-env', 'TEST_SYNTHESIS_KEY');
    delete process.env['TEST_SYNTHESIS_KEY'];
    // 8 questions, 7 of them whole, each solved three times.
    expect(asked).toBe(8 + 21);
    expect(JSON.parse(said)).toMatchObject({
      answers: 8,
      candidates: 7,
      solutions: 21,
      accepted: 7,
      dropped: 1,
      reasons: { 'invalid-json': 1 },
    });
    expect(keys).toContain('Bearer secret');
    const questions = readFileSync(at('one/questions.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Question);
    for (const question of questions) {
      expect(questionSchema.parse(question)).toEqual(question);
      expect(question.answer).toEqual({ type: 'option', value: 'B' });
      expect(question.provenance.steps).toContain('majority:2/3');
    }
    expect(JSON.parse(readFileSync(at('one/ledger.jsonl'), 'utf8'))).toMatchObject({ reason: 'invalid-json' });
    expect(readFileSync(at('one/candidates.answers.jsonl'), 'utf8')).not.toContain('secret');
    await run(...common('one'));
    expect(asked).toBe(29);
  });

  it('export and import: the same questions as a run, whatever the order of the answers', async () => {
    expect(JSON.parse(await run('export', spec, '--out', at('q.jsonl'), '--json'))).toMatchObject({ requests: 8 });
    const [first] = readFileSync(at('q.jsonl'), 'utf8').split('\n');
    expect(JSON.parse(first!)).toMatchObject({
      method: 'POST',
      url: '/v1/chat/completions',
      body: { model: 'teacher' },
    });
    const candidates = at('one/candidates.answers.jsonl');
    await run('export', spec, '--candidates', candidates, '--out', at('s.jsonl'));
    expect(readFileSync(at('s.jsonl'), 'utf8').trim().split('\n')).toHaveLength(21);
    const shuffled = at('shuffled.jsonl');
    writeFileSync(
      shuffled,
      readFileSync(at('one/solutions.answers.jsonl'), 'utf8').trim().split('\n').reverse().join('\n'),
    );
    appendFileSync(shuffled, '\n');
    const text = await run('import', spec, '--candidates', candidates, '--solutions', shuffled, '--out', at('two'));
    expect(text).toContain('7 accepted, 1 dropped');
    expect(readFileSync(at('two/questions.jsonl'))).toEqual(readFileSync(at('one/questions.jsonl')));
  });

  it('says what is missing or wrong', async () => {
    await expect(run('run', spec, '--out', at('x'))).rejects.toThrow(/--base-url/);
    await expect(run('export', spec)).rejects.toThrow(/--out/);
    const bad = folder.write('bad.yaml', 'model: m\ntopics: {}\ndifficulties: []\nsample: 3\n');
    await expect(run('export', bad, '--out', at('y'))).rejects.toMatchObject({
      code: 'ERR_SCHEMA',
      message: /difficulties[\s\S]*sample/,
    });
    const none = ['import', spec, '--candidates', at('none'), '--solutions', at('none'), '--out', at('z')];
    await expect(run(...none)).rejects.toMatchObject({ code: 'ERR_FILE_NOT_FOUND' });
    rmSync(at('q.jsonl'));
  });
});
