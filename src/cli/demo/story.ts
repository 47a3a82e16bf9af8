import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { count } from '../output/hints.ts';
import type { Cast } from './cast.ts';
import type { Stage } from './stage.ts';

const Made = z.object({ handle: z.string() });
const Workspace = z.object({ stream: z.object({ handle: z.string() }), path: z.string() });
const Committed = z.object({ cascade: z.object({ rebased: z.array(z.string()) }).nullable() });
const Next = z.object({ task: Made });
const Red = z.object({ result: z.literal('red'), reverted: z.object({ healed: z.boolean() }) });
const Swarmed = z.object({ totals: z.object({ done: z.number(), attempts: z.number() }) });

/** What the story has shown; tests hold it to that. */
export interface Told {
  /** Attempts of the swarm: more than its tasks where a conflict was resolved. */
  attempts: number;
  followed: number;
  healed: boolean;
}

/** The whole story: a swarm with a conflict, a stream that follows its parent, a red buffer and its repair. */
export async function tellStory(stage: Stage, cast: Cast): Promise<Told> {
  await beginning(stage, cast);
  const attempts = await together(stage, cast);
  const followed = await following(stage, cast);
  const healed = await falling(stage, cast);
  await stage.run(['status', '--as', 'you']);
  return { attempts, followed, healed };
}

async function beginning(stage: Stage, cast: Cast): Promise<void> {
  stage.chapter('1. A repository becomes a swarm', `The stage: ${cast.about}.`);
  await stage.run(['init', '--owner', 'you', '--model', 'guild', '--stabilize', cast.tests]);
  for (const name of ['ada', 'lin']) await stage.run(['agent', 'register', name, '--as', 'you']);
}

async function together(stage: Stage, cast: Cast): Promise<number> {
  stage.chapter(
    '2. Two agents work at once, clash, and land',
    'Both change the same place. Whoever lands second is told of the conflict, resolves it and is reviewed again.',
  );
  for (const { title } of cast.clash) {
    await stage.run(['task', 'create', title, '--accept', `${cast.tests} passes`, '--as', 'you']);
  }
  const scripts = join(stage.dir, '..', 'scripts.json');
  const tasks = Object.fromEntries(cast.clash.map(({ title, scripts: own }) => [title, own]));
  const verdict = { verdict: 'approve', feedback: 'does what the task asks for' };
  writeFileSync(scripts, JSON.stringify({ tasks, reviews: { '*': [{ steps: [verdict] }] } }));
  const crew = ['--agents', '2', '--reviewers', '1', '--trust-reviewers'];
  const data = await stage.run([
    'swarm',
    ...crew,
    '--adapter',
    'scripted',
    '--agent',
    scripts,
    '--as',
    'you',
  ]);
  return Swarmed.parse(data).totals.attempts;
}

async function following(stage: Stage, { parent, child }: Cast): Promise<number> {
  stage.chapter(
    '3. One stream builds on another, and follows it',
    'The same by hand: each command that the swarm runs can be typed.',
  );
  const below = await begin(stage, { agent: 'ada', title: parent.title });
  await stage.edit('ada', below.path, parent.first);
  await commit(stage, { agent: 'ada', stream: below.handle, message: parent.title });
  const above = await begin(stage, { agent: 'lin', title: child.title, dependsOn: below.handle });
  await stage.edit('lin', above.path, child.edit);
  await commit(stage, { agent: 'lin', stream: above.handle, message: child.title });
  await stage.edit('ada', below.path, parent.later);
  const { cascade } = await commit(stage, { agent: 'ada', stream: below.handle, message: 'Say more' });
  stage.remark(
    `${above.handle} follows: ${count(cascade?.rebased.length ?? 0, 'stream')} moved onto the new commit of ${below.handle}`,
  );
  for (const { agent, stream } of [
    { agent: 'ada', stream: below.handle },
    { agent: 'lin', stream: above.handle },
  ]) {
    await land(stage, agent, stream);
  }
  return cascade?.rebased.length ?? 0;
}

async function falling(stage: Stage, { broken }: Cast): Promise<boolean> {
  stage.chapter(
    '4. Something slips through; it is found, taken back and mended',
    'Tests usually run before a stream lands. Here they are switched off, to see what happens when one is red.',
  );
  await stage.run(['config', 'set', 'test_before_merge', 'false', '--as', 'you']);
  const wrong = await begin(stage, { agent: 'ada', title: broken.title });
  await stage.edit('ada', wrong.path, broken.edit);
  await commit(stage, { agent: 'ada', stream: wrong.handle, message: broken.title });
  await land(stage, 'ada', wrong.handle);
  const red = Red.parse(await stage.run(['stabilize', '--as', 'you'], 6));
  const next = Next.parse(await stage.run(['task', 'next', '--claim', '--as', 'ada']));
  const fix = await begin(stage, { agent: 'ada', task: next.task.handle });
  stage.remark('the worktree holds the change that was taken back, on top of the green buffer');
  await stage.edit('ada', fix.path, broken.mend);
  await commit(stage, { agent: 'ada', stream: fix.handle, message: 'Mend it' });
  await land(stage, 'ada', fix.handle);
  await stage.run(['stabilize', '--as', 'you']);
  await stage.run(['promote', '--as', 'you']);
  return red.reverted.healed;
}

interface Beginning {
  agent: string;
  title?: string;
  task?: string;
  dependsOn?: string;
}

/** A task, if it is not there yet, and a worktree for it; the task is claimed on the way. */
async function begin(
  stage: Stage,
  { agent, title, task, dependsOn }: Beginning,
): Promise<{ handle: string; path: string }> {
  const created = title === undefined ? undefined : await stage.run(['task', 'create', title, '--as', 'you']);
  const about = created === undefined ? (task ?? '') : Made.parse(created).handle;
  const parent = dependsOn === undefined ? [] : ['--depends-on', dependsOn];
  const made = Workspace.parse(
    await stage.run(['workspace', 'create', '--task', about, ...parent, '--as', agent]),
  );
  return { handle: made.stream.handle, path: made.path };
}

async function commit(stage: Stage, given: { agent: string; stream: string; message: string }) {
  const argv = ['commit', '-m', given.message, '--stream', given.stream, '--as', given.agent];
  return Committed.parse(await stage.run(argv));
}

/** Review, consensus, landing. */
async function land(stage: Stage, agent: string, stream: string): Promise<void> {
  await stage.run(['review', 'submit', stream, '--as', agent]);
  await stage.run(['review', 'submit', stream, 'approve', '-m', 'good', '--as', 'you']);
  await stage.run(['merge', stream, '--as', agent]);
}
