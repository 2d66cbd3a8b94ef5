import { appendFileSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { isDrop } from '../../lib/data/ledger.js';
import { questionSchema } from '../../lib/data/question.js';
import { readResponses, runRequests } from '../../lib/synthetic/endpoint.js';
import { generationRequests, solutionRequests } from '../../lib/synthetic/requests.js';
import { majorityVote, parseCandidate, voteAll } from '../../lib/synthetic/responses.js';
import { accepted, reasonOf, temporaryFolder } from '../data/fixtures.js';

const folder = temporaryFolder();
const spec = {
  model: 'teacher',
  topics: { Law: ['contracts', 'torts'], Biology: ['cells'] },
  difficulties: ['easy', 'hard'],
  count: 2,
  form: 'multiple-choice',
  options: 4,
} as const;

describe('requests', () => {
  it('cover every subtopic and difficulty, with ids that stay', () => {
    const requests = generationRequests(spec);
    expect(requests).toHaveLength(3 * 2 * 2);
    expect(new Set(requests.map(({ custom_id: id }) => id)).size).toBe(12);
    expect(generationRequests(spec)).toEqual(requests);
    expect(requests[0]?.body.messages[0]?.content).toMatch(
      /4 options[\s\S]*Topic: Law; subtopic: contracts; difficulty: easy/,
    );
    expect(() => generationRequests({ ...spec, count: 0 })).toThrow(/count/);
  });
});

describe('answers', () => {
  it('become candidates, or say why not', () => {
    const content = '<think>{no}</think>Here: {"question":"Who?","options":["Ann","Bob"],"topic":"Law"}';
    expect(parseCandidate({ custom_id: 'g1', content })).toEqual({
      id: 'g1',
      question: 'Who?',
      topic: 'Law',
      options: [
        { label: 'A', text: 'Ann' },
        { label: 'B', text: 'Bob' },
      ],
    });
    const reason = (text: string): string | undefined => {
      const result = parseCandidate({ custom_id: 'g', content: text });
      return isDrop(result) ? result.reason : undefined;
    };
    expect(reason('none')).toBe('invalid-json');
    expect(reason('{"q":1}')).toBe('missing-field');
    expect(reason('{"question":"Q?","options":["a","A."]}')).toBe('too-few-options');
  });

  const choice = {
    id: 'c',
    question: 'Who?',
    options: [
      { label: 'A', text: 'Ann' },
      { label: 'B', text: 'Bob' },
    ],
  };
  const open = { id: 'o', question: 'How many?' };
  const boxes = (...answers: string[]): string[] => answers.map((answer) => `<think>t</think>\\boxed{${answer}}`);

  it('vote for a gold; the share of votes is kept', () => {
    const question = accepted(majorityVote(choice, boxes('B', 'B. Bob', 'A', '(B)')));
    expect(questionSchema.parse(question)).toEqual(question);
    expect(question.answer).toEqual({ type: 'option', value: 'B' });
    expect(question.provenance.steps).toContain('majority:3/4');
    expect(accepted(majorityVote(open, boxes('12', '12.0', '7'))).answer).toEqual({ type: 'integer', value: '12' });
  });

  it('do not decide ties, small shares and empty boxes', () => {
    expect(reasonOf(majorityVote(open, boxes('1', '2')))).toBe('no-majority');
    expect(reasonOf(majorityVote(open, boxes('1', '1', '2', '3', '4')))).toBe('no-majority');
    expect(reasonOf(majorityVote(choice, boxes('Z', '')))).toBe('no-majority');
    expect(reasonOf(majorityVote(open, []))).toBe('no-majority');
  });
});

describe('a batch against an endpoint', () => {
  let server: Server;
  let baseUrl = '';
  let asked = 0;
  let broken = 1;

  beforeAll(async () => {
    server = createServer((request, response) => {
      asked++;
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        if (broken-- > 0) {
          response.writeHead(503).end();
          return;
        }
        if (body.includes('refuse')) {
          response.writeHead(400).end('bad model');
          return;
        }
        const content = `\\boxed{${body.includes('How many') ? 12 : 'B'}}`;
        response
          .writeHead(200, { 'content-type': 'application/json' })
          .end(JSON.stringify({ choices: [{ message: { content } }] }));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.close();
  });

  it('is retried, gone on with where it stopped, and voted on', async () => {
    const candidates = [
      { id: 'c0', question: 'How many?' },
      { id: 'c1', question: 'How many more?' },
    ];
    const requests = solutionRequests(candidates, 3, { model: 'm' });
    const file = join(folder.path, 'answers.jsonl');
    const options = { baseUrl: `${baseUrl}/v1`, concurrency: 2, pauseMs: 1 };
    expect(await runRequests(requests.slice(0, 4), file, options)).toEqual({ answered: 4, held: 0, failed: 0 });
    expect(asked).toBe(5);
    appendFileSync(file, '{"custom_id":"half');
    expect(await runRequests(requests, file, options)).toEqual({ answered: 2, held: 4, failed: 0 });
    expect(readFileSync(file, 'utf8').trim().split('\n')).toHaveLength(6);
    const { accepted: questions, ledger } = voteAll(
      [...candidates, { id: 'c2', question: 'Never asked?' }],
      await readResponses(file),
    );
    expect(questions.map(({ answer }) => answer.value)).toEqual(['12', '12']);
    expect(ledger).toMatchObject([{ id: 'c2', reason: 'no-majority' }]);
  });

  it('counts what failed after all tries, and stops where the endpoint refuses', async () => {
    const file = join(folder.path, 'failed.jsonl');
    const requests = solutionRequests([{ id: 'x', question: 'Who?' }], 1, { model: 'm' });
    broken = 5;
    expect(await runRequests(requests, file, { baseUrl, tries: 2, pauseMs: 1 })).toEqual({
      answered: 0,
      held: 0,
      failed: 1,
    });
    broken = 0;
    const refused = solutionRequests([{ id: 'x', question: 'refuse' }], 1, { model: 'm' });
    await expect(runRequests(refused, file, { baseUrl, pauseMs: 1 })).rejects.toThrow(/answered 400: bad model/);
  });
});
