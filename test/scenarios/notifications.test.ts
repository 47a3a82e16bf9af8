import { expect, it } from 'vitest';
import { readEnvironment } from '../../src/app/environment.ts';
import { setPreferences } from '../../src/contract/notifications.ts';
import { verifyBody } from '../../src/domain/notifications/delivery-rules.ts';
import { sendWebhook } from '../../src/workflows/send-webhook.ts';
import { tick } from '../../src/workflows/tick.ts';
import { Story, startStory, storyEnv } from '../support/story.ts';
import { receiver } from '../support/webhook-receiver.ts';

it('what happened to a stream reaches its author by webhook, signed, once; a private address only where it is allowed', async () => {
  const { received, url } = await receiver(() => 204);
  const story = await startStory({ model: 'guild', agents: ['coder'] });
  const { webhookSecret } = await story.ask(
    setPreferences,
    { webhookUrl: url, events: ['review.*'] },
    'coder',
  );
  const work = await story.stream('coder', { 'a.txt': 'new\n' });
  await story.submit('coder', work);
  await story.judge('Olga', work);
  // An agent who owns nothing makes the notification, but sends nothing.
  expect(await story.run('coder', (workflow) => tick(workflow))).toMatchObject({ notified: 3, delivered: 0 });
  const open = new Story(story.git, story.dir);
  Object.assign(open, {
    environment: readEnvironment({ ...storyEnv, GITSWARM_ALLOW_PRIVATE_WEBHOOKS: '1' }),
  });
  expect(await open.run('Olga', (workflow) => tick(workflow))).toMatchObject({ delivered: 1 });
  expect(await open.run('Olga', (workflow) => tick(workflow))).toMatchObject({ delivered: 0 });
  const [message] = received;
  if (!message) throw new Error('nothing arrived');
  expect(received).toHaveLength(1);
  expect(message.headers['x-gitswarm-event']).toBe('review.submitted');
  const signed = {
    body: message.body,
    timestamp: Number(message.headers['x-gitswarm-timestamp']),
    signature: String(message.headers['x-gitswarm-signature']),
    now: Date.now(),
  };
  expect(verifyBody(webhookSecret ?? '', signed)).toBe(true);
  expect(JSON.parse(message.body)).toMatchObject({ subject: { id: work.id }, data: { verdict: 'approve' } });

  await story.judge('Olga', work, 'comment');
  expect(await story.run('Olga', (workflow) => tick(workflow))).toMatchObject({ notified: 1, delivered: 0 });
  expect(received).toHaveLength(1);
});

it.each([
  [200, 'delivered'],
  [302, 'failed'],
  [410, 'refused'],
  [500, 'failed'],
])('an answer of %i is %s, and no redirect is followed', async (status, kind) => {
  const { received, url } = await receiver(() => status);
  const message = { url, body: '{}', headers: {} };
  expect((await sendWebhook(message, { allowPrivate: true })).kind).toBe(kind);
  expect(received).toHaveLength(1);
});

it('a name that stands for this machine is refused before anything is connected', async () => {
  const { received, url } = await receiver(() => 200);
  for (const host of ['127.0.0.1', 'localhost', '[::ffff:127.0.0.1]', '0.0.0.0']) {
    const there = url.replace('127.0.0.1', host);
    const sent = await sendWebhook({ url: there, body: '{}', headers: {} }, { allowPrivate: false });
    expect(sent).toMatchObject({ kind: 'refused' });
  }
  expect(received).toEqual([]);
});

it('a name that looks public but stands for a private address is refused before anything is connected', async () => {
  const { received, url } = await receiver(() => 200);
  const there = url.replace('127.0.0.1', 'hooks.example.org');
  const asked: string[] = [];
  const addresses = [
    { address: '93.184.215.14', family: 4 },
    { address: '127.0.0.1', family: 4 },
  ];
  const sent = await sendWebhook(
    { url: there, body: '{}', headers: {} },
    {
      allowPrivate: false,
      resolve: (name, _options, answer) => {
        asked.push(name);
        answer(null, addresses);
      },
    },
  );
  expect(sent).toEqual({
    kind: 'refused',
    error: 'hooks.example.org stands for 127.0.0.1, which is not public',
  });
  expect(asked).toEqual(['hooks.example.org']);
  expect(received).toEqual([]);
});
