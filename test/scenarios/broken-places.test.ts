import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, it } from 'vitest';
import { exitCodeOf } from '../../src/contract/errors.ts';
import { trustCommands } from '../../src/workflows/edit-config.ts';
import { intake } from '../../src/workflows/plain-landings.ts';
import { warnUntested } from '../support/process-fixture.ts';
import { PROGRAM } from '../support/program.ts';
import { refusal, runProgram, type Story, scratch, startStory } from '../support/story.ts';

/** Ways to see a directory as on a disk that cannot be written; permissions would not bind root. */
function readOnlyWays(dir: string): string[][] {
  const remount = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"';
  return [
    ['bwrap', '--dev-bind', '/', '/', '--ro-bind', dir, dir, '--'],
    ['unshare', '--user', '--map-root-user', '--mount', 'sh', '-c', remount, dir],
    ['unshare', '--mount', 'sh', '-c', remount, dir],
  ];
}

it('on a disk that cannot be written, status and log work and say so, and nothing else is tried', async () => {
  const story = await startStory();
  const work = await story.stream('coder', { 'new.txt': 'n\n' });
  story.git.commit('by hand', { 'hand.txt': 'h\n' }, work.path);
  const way = readOnlyWays(story.dir).find((argv) => {
    const refused = ['sh', '-c', `! touch "${story.dir}/written"`];
    return runProgram([...argv, 'true'], '/').code === 0 && runProgram([...argv, ...refused], '/').code === 0;
  });
  if (!way) {
    warnUntested(
      'a disk that cannot be written',
      'neither bubblewrap nor a user namespace can mount one here',
    );
    return;
  }
  const run = (...args: string[]) =>
    runProgram([...way, process.execPath, PROGRAM, ...args, '-C', story.dir, '--json'], '/');
  for (const args of [['status'], ['log'], ['stream', 'list']]) {
    const { code, stdout, stderr } = run(...args);
    expect({ args, code, ok: JSON.parse(stdout || '{}').ok }, `${stdout}${stderr}`).toEqual({
      args,
      code: 0,
      ok: true,
    });
    expect(stderr).toContain('cannot be written');
  }
  const refused = run('task', 'create', 'Impossible', '--as', 'Olga');
  expect(JSON.parse(refused.stdout)).toMatchObject({
    ok: false,
    error: { code: 'read_only', fix: expect.any(String) },
  });
});

it('a database that somebody keeps locked is busy after a wait, with what to do', async () => {
  const story = await startStory();
  const other = new DatabaseSync(join(story.dir, '.gitswarm/federation.db'));
  other.exec('begin immediate');
  try {
    expect(await refusal(story.task('Wait'))).toMatchObject({ code: 'busy', fix: expect.any(String) });
  } finally {
    other.exec('rollback');
    other.close();
  }
  expect((await story.task('Go on')).status).toBe('open');
});

it.each(['federation.db', 'local/machine.db'])(
  'a newer schema in %s is refused and left alone',
  async (name) => {
    const story = await startStory();
    await story.stream('coder', { 'new.txt': 'n\n' });
    const file = join(story.dir, '.gitswarm', name);
    const db = new DatabaseSync(file);
    db.exec('pragma user_version = 999');
    if (name === 'federation.db')
      db.exec(
        "insert into schema_migration (name, applied_at, checksum) values ('999-future', '2099-01-01T00:00:00.000Z', 'x')",
      );
    db.close();
    expect(await refusal(story.stream('coder', { 'b.txt': 'b\n' }))).toMatchObject({
      code: 'newer_schema',
      fix: expect.stringContaining('upgrade'),
    });
  },
);

/** Puts a settings file on the buffer, as a commit on main that is taken in. */
async function putInForce(story: Story, text: string): Promise<void> {
  story.git.commit('Settings', { '.gitswarm/config.yml': text });
  await story.run('Olga', (workflow) => intake(workflow));
}

function bomb(): string {
  const lines = ['a: &a ["lol","lol","lol","lol","lol","lol","lol","lol","lol"]'];
  for (let n = 1; n < 12; n++) {
    const [before, now] = [String.fromCharCode(96 + n), String.fromCharCode(97 + n)];
    lines.push(`${now}: &${now} [${Array.from({ length: 9 }, () => `*${before}`).join(',')}]`);
  }
  return `${lines.join('\n')}\n`;
}

const hostile: [string, string][] = [
  ['a command as the name of the buffer', 'buffer_branch: "$(touch oops)"\n'],
  ['backticks and semicolons in the target', 'promote_target: "`touch oops`; touch oops"\n'],
  ['an option as the name of the buffer', 'buffer_branch: "--upload-pack=touch oops"\n'],
  ['a path that leads out as the name of the buffer', 'buffer_branch: "../../../oops"\n'],
  ['a buffer that does not exist', 'buffer_branch: nowhere\n'],
  ['the target as the buffer', 'buffer_branch: main\n'],
  ['a target that does not exist', 'promote_target: nowhere\n'],
  ['a YAML bomb', bomb()],
  ['wrong types', 'merge_mode: [swarm]\nmin_reviews: "many"\nstabilize_command: {a: 1}\n'],
  ['a list', '- merge_mode\n- swarm\n'],
  ['no YAML at all', '\t{{{ : : :\n"'],
  ['a prototype', '__proto__: {merge_mode: swarm}\nconstructor: {prototype: {merge_mode: swarm}}\n'],
  ['a tag that would be an object', 'merge_mode: !!js/function "function(){}"\n'],
  ['a huge file', `# ${'x'.repeat(400_000)}\nmerge_mode: swarm\n`],
  [
    'a pattern made to take for ever',
    `branch_rules:\n  - pattern: "${'+(a|'.repeat(20)}b${')'.repeat(20)}"\n`,
  ],
];

it.each(hostile)('a settings file with %s is never run and breaks no command', async (_name, text) => {
  const story = await startStory();
  await putInForce(story, text);
  const work = await story.stream('coder', { 'new.txt': 'n\n' });
  expect((await story.land(work, { author: 'coder', judge: 'Olga' })).kind).toBe('merged');
  expect(story.file('buffer', 'new.txt')).toBe('n\n');
  expect(await story.promote()).toMatchObject({ promoted: true });
  expect(
    await story.run(null, async ({ repo }) => [repo.mergeMode, repo.bufferBranch, repo.promoteTarget]),
  ).toEqual(['review', 'buffer', 'main']);
  for (const place of [story.dir, story.git.top, process.cwd()])
    expect(existsSync(join(place, 'oops'))).toBe(false);
});

it('a settings file that names no branches leaves those the repository has', async () => {
  const story = await startStory({ branch: 'trunk', buffer: 'next' });
  await putInForce(story, 'min_reviews: 2\n');
  expect(
    await story.run(null, async ({ repo }) => [
      repo.config.min_reviews,
      repo.bufferBranch,
      repo.promoteTarget,
    ]),
  ).toEqual([2, 'next', 'trunk']);
});

it('buffer and target can only be set to branches that exist, and not to the same one', async () => {
  const story = await startStory();
  for (const [key, value] of [
    ['buffer_branch', 'main'],
    ['promote_target', 'nowhere'],
    ['promote_target', '--help'],
  ] as const) {
    expect(await refusal(story.set(key, value))).toMatchObject({ code: 'invalid' });
  }
  story.git.git('branch', 'release');
  await story.set('promote_target', 'release');
  expect(await story.run(null, async ({ repo }) => repo.promoteTarget)).toBe('release');
});

it('a command that came in with a file runs only after an owner has approved exactly its text', async () => {
  const proof = join(scratch('proof'), 'ran');
  const story = await startStory({ stabilize: 'true' });
  expect((await story.stabilize()).result).toBe('green');
  await putInForce(
    story,
    `stabilize_command: "echo ran >> ${proof}"\nsandbox: "off"\nworkspace:\n  setup: "echo setup >> ${proof}"\n`,
  );
  const error = await refusal(story.stabilize());
  expect([error.code, exitCodeOf(error.code)]).toEqual(['untrusted_command', 4]);
  expect(error.fix).toContain('gitswarm config trust');
  const asked = await story.stream('Olga', { 'asked.txt': 'a\n' });
  expect(await story.merge('Olga', asked)).toMatchObject({
    kind: 'queued',
    blocked: true,
    reason: expect.stringContaining('gitswarm config trust'),
  });
  // A workspace is made without the setup, which is told.
  await story.workspace('coder');
  expect(existsSync(proof)).toBe(false);

  expect(await refusal(story.run('coder', (workflow) => trustCommands(workflow)))).toMatchObject({
    code: 'not_allowed',
  });
  await story.run('Olga', (workflow) => trustCommands(workflow));
  expect((await story.stabilize()).result).toBe('green');
  expect(readFileSync(proof, 'utf8')).toBe('setup\nran\n');
});
