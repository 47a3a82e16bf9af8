import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { gitFixture } from '../support/git-fixture.ts';
import { callCli } from '../support/swarm-story.ts';
import { tempDir } from '../support/temp-dir.ts';

async function playDemo(dir: string, ...args: string[]) {
  const result = await callCli(dir, ['demo', '--json', ...args], { TMPDIR: dir }).done;
  if (result.exit !== 0) throw new Error(`exit ${result.exit}: ${result.stdout}${result.stderr}`);
  return { data: JSON.parse(result.stdout).data, shown: result.stderr };
}

/** Node keeps its compiled code there, too. */
function leftBehind(dir: string): string[] {
  return readdirSync(dir).filter((name) => name.startsWith('gitswarm'));
}

test('the demo plays the whole story on a published library and leaves nothing behind', async () => {
  const dir = tempDir('demo');
  const { data, shown } = await playDemo(dir);
  // Two tasks took three attempts: the second to land met the conflict and resolved it.
  expect(data).toMatchObject({ attempts: 3, followed: 1, healed: true, directory: null });
  expect(shown).toContain('@fastify/forwarded 3.1.2');
  const commands = (data.steps as { command: string; exit: number }[]).map(({ command }) => command);
  for (const verb of [
    'init',
    'agent',
    'task',
    'swarm',
    'workspace',
    'commit',
    'review',
    'merge',
    'stabilize',
    'promote',
  ]) {
    expect(commands.some((command) => command.startsWith(`gitswarm ${verb} `))).toBe(true);
  }
  for (const command of commands) expect(shown).toContain(`$ ${command}`);
  expect(leftBehind(dir)).toEqual([]);
});

test('the demo plays on a clone of any repository, which itself stays as it is', async () => {
  const origin = gitFixture();
  origin.commit('Begin', { 'a file.txt': 'ä\n', '.gitswarm/config.yml': 'merge_mode: gated\npush: auto\n' });
  const before = [origin.git('for-each-ref'), origin.git('status', '--porcelain')];
  const dir = tempDir('demo');
  const { data } = await playDemo(dir, '--keep', '--repo', origin.dir);
  expect(data).toMatchObject({ attempts: 3, followed: 1, healed: true });
  expect([origin.git('for-each-ref'), origin.git('status', '--porcelain')]).toEqual(before);

  const kept: string = data.directory;
  expect(kept.startsWith(dir)).toBe(true);
  expect(origin.gitIn(kept, 'show', 'gitswarm-demo:gitswarm-demo/fragile.txt')).toBe('whole');
  expect(origin.gitIn(kept, 'show', 'gitswarm-demo:gitswarm-demo/list.txt')).toBe('first\none\ntwo\nlast');
  expect(origin.gitIn(kept, 'show', 'gitswarm-demo:a file.txt')).toBe('ä');
  const status = await callCli(kept, ['status', '--json']).done;
  expect(JSON.parse(status.stdout).data.tasks).toMatchObject({ completed: 6, open: 0, claimed: 0 });
  expect(leftBehind(dir)).toHaveLength(1);
});
