import type { AddressInfo } from 'node:net';
import { request as httpRequest, type Server } from 'node:http';
import { createRewardServer, type ServerOptions } from '../../lib/rewards/index.js';

let server: Server;
let base: string;

async function start(options: ServerOptions = {}): Promise<void> {
  server = createRewardServer(options);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const post = async (
  path: string,
  body: unknown,
): Promise<{ status: number; body: Record<string, unknown>; headers: Headers }> => {
  const response = await fetch(base + path, {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return {
    status: response.status,
    body: (await response.json()) as Record<string, unknown>,
    headers: response.headers,
  };
};

const message = (text: string): object => ({
  id: 'r1',
  output: [
    { type: 'reasoning', summary: [] },
    { type: 'message', role: 'assistant', content: [{ type: 'output_text', text, annotations: [] }] },
  ],
});

describe('NeMo Gym protocol', () => {
  it('/verify echoes the request and adds the reward', async () => {
    await start();
    const { status, body } = await post('/verify', {
      responses_create_params: { input: [{ role: 'user', content: '6 x 7?' }] },
      response: message('It is \\boxed{42}'),
      expected_answer: '42',
      uuid: 'abc',
      _ng_task_index: 3,
    });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      reward: 1,
      extracted_answer: '42',
      reason: 'correct',
      uuid: 'abc',
      _ng_task_index: 3,
      responses_create_params: { input: [{ role: 'user' }] },
      reward_components: { accuracy: 1, format: 1 },
    });
  });

  it.each([
    ['strict_single_letter_boxed', 'The answer is B', 0],
    ['strict_single_letter_boxed', '\\boxed{B}', 1],
    ['lenient_answer_colon', 'Answer: pear', 1],
  ])('grades options in mode %s', async (mode, text, reward) => {
    await start();
    const { body } = await post('/verify', {
      response: message(text),
      expected_answer: 'B',
      options: [{ A: 'apple' }, { B: 'pear' }],
      grading_mode: mode,
    });
    expect(body['reward']).toBe(reward);
  });

  it("uses the row's own pattern, unless it could hang", async () => {
    await start();
    const row = { response: message('Pick: B'), expected_answer: 'B', options: [{ A: 'apple' }, { B: 'pear' }] };
    expect(
      (await post('/verify', { ...row, template_metadata: { output_regex: 'Pick:\\s*([A-Z])' } })).body['reward'],
    ).toBe(1);
    expect((await post('/verify', { ...row, template_metadata: { output_regex: '(a+)+$' } })).status).toBe(200);
  });

  it('says null for a gold that cannot be scored', async () => {
    await start();
    expect((await post('/verify', { response: message('1'), expected_answer: '' })).body['reward']).toBeNull();
  });

  it('seeds sessions, names its mode and aggregates', async () => {
    await start();
    const seeded = await post('/seed_session', { anything: 1 });
    expect([seeded.status, seeded.body]).toEqual([200, {}]);
    expect(seeded.headers.get('set-cookie')).toMatch(/^session=/);
    expect(await (await fetch(`${base}/reverify_mode`)).text()).toBe('stateless');
    const rows = [
      [0, 1],
      [0, 0],
      [1, 0],
      [1, 0],
    ].map(([_ng_task_index, reward]) => ({ _ng_task_index, reward }));
    const { body } = await post('/aggregate_metrics', { verify_responses: rows });
    expect(body).toMatchObject({
      agent_metrics: {
        mean_reward: 0.25,
        'pass@1': 0.25,
        'pass@k': 0.5,
        zero_variance_share: 0.5,
        rollouts: 4,
        tasks: 2,
      },
      group_level_metrics: [
        { _ng_task_index: 0, mean_reward: 0.5 },
        { _ng_task_index: 1, mean_reward: 0 },
      ],
    });
  });
});

describe('/v1/verify', () => {
  it('takes a row or rows; one bad row does not stop the others', async () => {
    await start();
    const row = { id: 'a', gold: '1/2', response: '<think>x</think>\\boxed{0.5}' };
    expect((await post('/v1/verify', row)).body).toMatchObject({ id: 'a', reward: 1, reason: 'correct' });
    const { body } = await post('/v1/verify', { rows: [row, { id: 'b' }] });
    expect(body['rows']).toMatchObject([{ reward: 1 }, { reward: null, reason: 'bad_row' }]);
  });

  it.each([
    ['{', 400],
    [{ gold: '1' }, 422],
    [{ gold: '1', response: '1', settings: { preset: 'nonsense' } }, 422],
  ])('answers %j with %d', async (body, status) => {
    await start();
    const answered = await post('/v1/verify', body);
    expect(answered.status).toBe(status);
    expect(typeof answered.body['error']).toBe('string');
  });
});

describe('limits and health', () => {
  it('refuses what is too large', async () => {
    await start({ maximumBody: 1000 });
    expect((await post('/v1/verify', { gold: '1', response: 'x'.repeat(2000) })).status).toBe(413);
  });

  it('refuses what is too many, and says so, but stays healthy', async () => {
    await start({ maximumInFlight: 1 });
    const slow = httpRequest(`${base}/v1/verify`, { method: 'POST' });
    slow.on('error', () => undefined);
    slow.write('{');
    await new Promise((resolve) => setTimeout(resolve, 50));
    const full = await post('/v1/verify', { gold: '1', response: '1' });
    expect([full.status, full.headers.get('retry-after')]).toEqual([503, '1']);
    expect((await fetch(`${base}/health`)).status).toBe(200);
    slow.destroy();
  });

  it('knows its paths and methods', async () => {
    await start();
    expect((await fetch(`${base}/nowhere`)).status).toBe(404);
    expect((await fetch(`${base}/verify`)).status).toBe(405);
  });

  it('counts for Prometheus', async () => {
    await start();
    await post('/v1/verify', { gold: '1', response: '\\boxed{1}' });
    const text = await (await fetch(`${base}/metrics`)).text();
    expect(text).toContain('crossthink_verdicts_total{reason="format_no_think"} 1');
    expect(text).toMatch(/crossthink_requests_total\{path="\/v1\/verify",status="200"\} 1/);
  });

  it('finishes the requests under way when it closes', async () => {
    await start();
    const body = JSON.stringify({ gold: '1', response: '\\boxed{1}' });
    const slow = httpRequest(`${base}/v1/verify`, { method: 'POST', headers: { 'content-length': body.length } });
    const answered = new Promise<number | undefined>((resolve) =>
      slow.on('response', (response) => {
        resolve(response.statusCode);
      }),
    );
    slow.write(body.slice(0, 5));
    await new Promise((resolve) => setTimeout(resolve, 50));
    const closed = new Promise((resolve) => server.close(resolve));
    slow.end(body.slice(5));
    expect(await answered).toBe(200);
    await closed;
  });
});
