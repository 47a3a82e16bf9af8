import { expect, it } from 'vitest';
import { cliFixture } from '../../../test/support/cli.ts';

it('tasks go from created to accepted, each answer in the shape programs rely on', () => {
  const cli = cliFixture();
  const task = cli.data([
    'task',
    'create',
    '– "näme" of \'it\'',
    '--desc',
    'long\ntext',
    '--priority',
    'high',
    '--label',
    'a b',
    '--label=-x',
    '--path',
    'src/ü',
    '--accept',
    'it works',
    '--difficulty',
    'easy',
    '--expires',
    '2h',
    '--as',
    'Olga',
  ]);
  expect(task).toMatchObject({
    status: 'open',
    priority: 'high',
    amount: 0,
    labels: ['a b', '-x'],
    paths: ['src/ü'],
    dependsOn: [],
    ready: true,
  });
  const later = cli.data([
    'task',
    'create',
    '--as',
    'Olga',
    '--depends-on',
    task.handle,
    '--',
    '--starts with dashes',
  ]);
  expect(later).toMatchObject({ title: '--starts with dashes', dependsOn: [task.id], ready: false });

  const claimed = cli.data(['task', 'next', '--claim', '--as', 'coder']);
  expect(claimed).toMatchObject({
    task: { id: task.id },
    claim: { status: 'active', leaseUntil: expect.stringMatching(/Z$/) },
  });
  expect(cli.json(['task', 'claim', task.handle, '--as', 'bob'])).toMatchObject({
    code: 5,
    error: { code: 'claim_taken' },
  });
  expect(cli.data(['task', 'next', '--claim', '--as', 'bob'])).toBeNull();
  expect(cli.data(['task', 'list', '--mine', '--as', 'coder'])).toMatchObject([{ id: task.id }]);
  const text = cli.run(['task', 'list']).stdout;
  expect(text.indexOf('BLOCKED 1')).toBeLessThan(text.indexOf('CLAIMED 1'));
  expect(text).toContain(`waits for ${task.handle}`);

  expect(cli.json(['task', 'submit', task.handle, '--as', 'bob']).code).toBe(4);
  expect(cli.data(['task', 'submit', task.handle, '--notes', 'done', '--as', 'coder'])).toMatchObject({
    claim: { status: 'submitted' },
  });
  expect(cli.json(['task', 'review', task.handle, 'approve'])).toMatchObject({ code: 2 });
  expect(cli.json(['task', 'review', task.handle, 'maybe', '--as', 'Olga'])).toMatchObject({
    code: 2,
    error: { code: 'usage' },
  });
  expect(cli.data(['task', 'review', task.handle, 'approve', '--as', 'Olga'])).toMatchObject({
    task: { status: 'completed' },
  });
  expect(cli.data(['task', 'show', later.handle])).toMatchObject({ ready: true });
});

it('a task is changed, blocked, given back and cancelled, and an edit is undone', () => {
  const cli = cliFixture({ agents: ['coder'] });
  const { handle } = cli.data(['task', 'create', 'one', '--label', 'x', '--as', 'coder']);
  expect(cli.json(['task', 'update', handle, '--as', 'coder']).code).toBe(2);
  expect(
    cli.data(['task', 'update', handle, '--title', 'two', '--label', '', '--as', 'coder']),
  ).toMatchObject({ title: 'two', labels: [] });
  cli.data(['undo', '--as', 'coder']);
  expect(cli.data(['task', 'show', handle])).toMatchObject({ title: 'one', labels: ['x'] });
  expect(cli.json(['task', 'block', handle, '--as', 'coder']).code).toBe(2);
  expect(cli.data(['task', 'block', handle, 'no keys', '--as', 'coder'])).toMatchObject({
    blockedReason: 'no keys',
    ready: false,
  });
  cli.data(['task', 'unblock', handle, '--as', 'coder']);
  cli.data(['task', 'claim', handle, '--lease', '10m', '--as', 'coder']);
  expect(cli.data(['task', 'abandon', handle, '--as', 'coder'])).toMatchObject({
    task: { status: 'open' },
    claim: { status: 'abandoned' },
  });
  expect(cli.data(['task', 'cancel', handle, '--as', 'coder'])).toMatchObject({ status: 'cancelled' });
  expect(cli.json(['task', 'show', 't-zzzz']).code).toBe(3);
  expect(cli.json(['task', 'create', 'nobody asks']).code).toBe(2);
});

it('titles that would steer a terminal are refused, and nothing of them is printed', () => {
  const cli = cliFixture({ agents: [] });
  const evil = 'a\u001b[31mred\u001b]0;title\u0007';
  const ran = cli.run(['task', 'create', evil, '--as', 'Olga']);
  expect(ran.code).toBe(2);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not come through
  expect(ran.stdout + ran.stderr).not.toMatch(/[\u0007\u001b]/);
  cli.write({ 'evil.md': '- [ ] fine \u202egnp.txt\n' }, cli.dir);
  cli.data(['task', 'import', 'evil.md', '--as', 'Olga']);
  expect(cli.run(['task', 'list']).stdout).not.toContain('\u202e');
});

it('a checklist and a JSON list become tasks, all of them or none, and --plan makes nothing', () => {
  const cli = cliFixture({ agents: [] });
  cli.write(
    {
      'docs/to do.md':
        '# Plan\n- [ ] first\n- [x] done\n  * [ ] second "ü"\n1. [ ] third\n```\n- [ ] no task\n```\n',
      'tasks.json': JSON.stringify([
        { title: 'late', dependsOn: ['early'] },
        { title: 'early', priority: 'critical' },
      ]),
      'bad.json': JSON.stringify([{ title: 'fine' }, { title: '' }]),
    },
    cli.dir,
  );
  const inDocs = { cwd: `${cli.dir}/docs` };
  expect(cli.data(['task', 'import', 'to do.md', '--plan', '--as', 'Olga'], inDocs)).toMatchObject({
    planned: [{ title: 'first' }, { title: 'second "ü"' }, { title: 'third' }],
    created: [],
  });
  expect(cli.data(['task', 'import', 'to do.md', '--as', 'Olga'], inDocs).created).toHaveLength(3);
  const { created } = cli.data(['task', 'import', 'tasks.json', '--as', 'Olga']);
  expect(created.map((task: { title: string }) => task.title)).toEqual(['early', 'late']);
  expect(created[1].dependsOn).toEqual([created[0].id]);
  expect(cli.json(['task', 'import', 'bad.json', '--as', 'Olga'])).toMatchObject({
    code: 2,
    error: { code: 'invalid' },
  });
  expect(cli.json(['task', 'import', 'none.md', '--as', 'Olga']).code).toBe(3);
  expect(cli.data(['task', 'list'])).toHaveLength(5);
});
