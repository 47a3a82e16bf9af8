import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type Told, twoMachines } from '../support/connected.ts';
import { worker } from '../support/swarm-agents.ts';
import { swarmFiles } from '../support/swarm-story.ts';

it('a swarm in a connected clone takes tasks of the server to promoted work in the remote', async () => {
  const { one, two, git, remote } = await twoMachines({ files: swarmFiles });
  await one.ask(['config', 'set', 'stabilize_command', 'node check.mjs']);
  const agent = join(git.top, 'worker.mjs');
  writeFileSync(agent, worker);
  for (const title of ['write 1', 'write 2', 'write 3']) await two.ask(['task', 'create', title]);
  const review = `${process.execPath} -e "console.log(JSON.stringify({verdict:'approve',feedback:'fine'}))"`;
  const command = ['swarm', '--agents', '2', '--agent', `${process.execPath} ${agent} ${git.top}`];
  const trusted = ['--reviewers', '1', '--reviewer', review, '--trust-reviewers', '--yes'];
  const ended = await one.ask([...command, ...trusted]);
  expect(ended.tasks.filter((each: Told) => each.state !== 'done')).toEqual([]);
  expect(ended).toMatchObject({ totals: { tasks: 3, done: 3 }, promotion: { promoted: true } });
  expect(git.oid('main', remote)).toBe(git.oid('buffer', remote));
  await two.ask(['sync']);
  expect(two.oid('main')).toBe(git.oid('main', remote));
  const done = await two.ask(['task', 'list', '--status', 'completed']);
  expect(done).toHaveLength(3);
});
