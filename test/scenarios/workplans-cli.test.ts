import { createHash } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { findingCodes } from '../../src/domain/workplans/plan-findings.ts';
import { type CliFixture, cliFixture } from '../support/cli.ts';
import { PLAN, planText } from '../support/plan-story.ts';

function fixture(
  files: Record<string, string> = { [PLAN]: planText({ T1: 'todo', T2: 'todo' }) },
): CliFixture {
  return cliFixture({ files: { 'a.txt': 'a\n', ...files } });
}

const fix = (cli: CliFixture, ...args: string[]) => cli.data(['plan', 'fix', '--as', 'Olga', ...args]);

/** Every entry below a directory with its bytes, its mode and when it was changed. */
function everything(dir: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const path of readdirSync(dir, { recursive: true, encoding: 'utf8' }).sort()) {
    const file = join(dir, path);
    const stat = lstatSync(file, { bigint: true });
    const content = stat.isSymbolicLink() ? readlinkSync(file) : stat.isFile() ? readFileSync(file) : '';
    const hash = createHash('sha256').update(content).digest('hex');
    found.set(path, `${stat.mode} ${stat.mtimeNs} ${hash}`);
  }
  return found;
}

function setStatus(cli: CliFixture, block: string, status: string): void {
  const text = readFileSync(join(cli.dir, PLAN), 'utf8');
  cli.write({ [PLAN]: text.replace(new RegExp(`(id: ${block}\\nstatus: )\\S+`), `$1${status}`) }, cli.dir);
}

describe('plan check writes nothing, ever', () => {
  /** Each leaves a repository in which fix would have something to do. */
  const cases: Record<string, (cli: CliFixture) => void> = {
    'before the first fix': () => undefined,
    'where the file is ahead': (cli) => {
      fix(cli);
      setStatus(cli, 'T1', 'done');
    },
    'where the database is ahead': (cli) => {
      fix(cli);
      cli.data(['task', 'claim', cli.data(['task', 'list'])[0].handle, '--as', 'coder']);
    },
    'behind a remote': (cli) => {
      const remote = join(cli.git.top, 'remote.git');
      cli.git.gitIn(cli.dir, 'clone', '--quiet', '--bare', cli.dir, remote);
      cli.git.gitIn(cli.dir, 'remote', 'add', 'origin', remote);
      cli.git.gitIn(cli.dir, 'fetch', '--quiet');
      cli.git.gitIn(cli.dir, 'branch', '--quiet', '--set-upstream-to=origin/main');
      const other = join(cli.git.top, 'other');
      cli.git.gitIn(cli.git.top, 'clone', '--quiet', remote, other);
      cli.git.commit('newer', { 'b.txt': 'b\n' }, other);
      cli.git.gitIn(other, 'push', '--quiet');
    },
    'with touched files and an old index': (cli) => {
      fix(cli);
      cli.write({ 'a.txt': 'a\n', 'untracked.txt': 'u\n' }, cli.dir);
    },
    'while another process has the database open': (cli) => {
      fix(cli);
      // A journal that was not written back, as a killed process leaves it.
      const db = new DatabaseSync(join(cli.dir, '.gitswarm', 'federation.db'));
      db.exec(`update task set title = 'from the journal' where title like 'T1%'`);
      cli.git.gitIn(cli.dir, 'config', 'x.keep', '1');
      expect(existsSync(join(cli.dir, '.gitswarm', 'federation.db-wal'))).toBe(true);
      (cli as { keep?: unknown }).keep = db;
    },
  };

  it.each(Object.entries(cases))('%s', (_name, prepare) => {
    const cli = fixture();
    prepare(cli);
    const before = everything(cli.git.top);
    for (const args of [
      ['plan', 'check'],
      ['plan', 'check', '--all'],
      ['plan', 'check', '--as', 'coder'],
    ]) {
      const ran = cli.run(args);
      expect({ code: ran.code, stderr: ran.stderr }).toEqual({ code: 0, stderr: '' });
    }
    cli.data(['plan', 'check']);
    const after = everything(cli.git.top);
    expect([...after].filter(([path, state]) => before.get(path) !== state)).toEqual([]);
    expect([...before.keys()].filter((path) => !after.has(path))).toEqual([]);
  });

  it('and sees what is only in the journal of the database', () => {
    const cli = fixture();
    fix(cli);
    const db = new DatabaseSync(join(cli.dir, '.gitswarm', 'federation.db'));
    db.exec(`update task set status = 'completed' where title like 'T1%'`);
    expect(cli.data(['plan', 'check']).findings).toMatchObject([{ code: 'C-13', task: 'T1' }]);
    db.close();
  });
});

describe('what the command line answers', () => {
  it('check and fix in the shape that programs rely on', () => {
    const cli = fixture();
    expect(cli.data(['plan', 'check'])).toEqual({
      repo: basename(cli.dir),
      findings: [
        {
          code: 'C-10',
          severity: 'INFO',
          file: PLAN,
          line: expect.any(Number),
          task: 'T1',
          message: expect.any(String),
        },
        {
          code: 'C-10',
          severity: 'INFO',
          file: PLAN,
          line: expect.any(Number),
          task: 'T2',
          message: expect.any(String),
        },
      ],
      changed: [],
    });
    const made = fix(cli);
    expect(made).toMatchObject({ findings: [], committed: cli.git.gitIn(cli.dir, 'rev-parse', 'HEAD') });
    expect(made.changed.map(({ kind }: { kind: string }) => kind)).toEqual([
      'task_created',
      'task_created',
      'id_written',
      'id_written',
    ]);
    expect(fix(cli)).toEqual({ repo: basename(cli.dir), findings: [], changed: [] });
    expect(cli.data(['task', 'list']).map(({ title }: { title: string }) => title)).toEqual([
      'T1 — what it is about',
      'T2 — what it is about',
    ]);
  });

  it('6 where there is an error, 0 with warnings, and an actor for fix', () => {
    const cli = fixture();
    fix(cli);
    setStatus(cli, 'T1', 'in_progress');
    expect(cli.run(['plan', 'check'])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('WARN  C-11'),
    });
    setStatus(cli, 'T2', 'Done');
    const { stdout, code } = cli.run(['plan', 'check']);
    expect({ code, stdout }).toEqual({
      code: 6,
      stdout: expect.stringMatching(/ERROR C-07 .*did you mean done/),
    });
    expect(cli.json(['plan', 'check'])).toMatchObject({ code: 6, ok: true });
    expect(cli.json(['plan', 'fix'])).toMatchObject({ code: 2, error: { code: 'usage' } });
    expect(cli.json(['plan', 'fix', '--as', 'nobody'])).toMatchObject({ code: 3 });
    expect(cli.json(['plan', 'fix', '--pull', '--offline', '--as', 'Olga'])).toMatchObject({ code: 2 });
    expect(cli.json(['plan', 'fix', '--force', '--as', 'coder'])).toMatchObject({ code: 4 });
  });

  it('what each code means', () => {
    const cli = fixture();
    const all = cli.data(['plan', 'check', '--explain', 'all']);
    expect(all.map(({ code }: { code: string }) => code)).toEqual(Object.keys(findingCodes));
    for (const told of all) {
      for (const part of [told.title, told.text, told.fix]) expect(part.length).toBeGreaterThan(10);
    }
    expect(cli.data(['plan', 'check', '--explain', 'c-13'])).toMatchObject({
      code: 'C-13',
      severity: 'WARN',
    });
    expect(cli.json(['plan', 'check', '--explain', 'C-99'])).toMatchObject({
      code: 2,
      error: { code: 'usage' },
    });
  });

  it('the protocol, and the snippet alone', () => {
    const cli = fixture();
    const { protocol, snippet } = cli.data(['plan', 'protocol']);
    expect(protocol).toContain('gitswarm plan fix --pull');
    expect(cli.run(['plan', 'protocol', '--snippet'])).toEqual({
      code: 0,
      stdout: `${snippet}\n`,
      stderr: '',
    });
  });

  it('one repository by its name or path, or all of a folder at once', () => {
    const cli = fixture();
    const other = join(cli.git.top, 'other');
    mkdirSync(other);
    cli.git.gitIn(other, 'init', '--quiet', '--initial-branch=main');
    cli.git.gitIn(other, 'config', 'user.name', 'Otto');
    cli.git.gitIn(other, 'config', 'user.email', 'otto@example.org');
    cli.git.commit('begin', { [PLAN]: planText({ O1: 'todo' }) }, other);
    cli.data(['init'], { cwd: other });
    cli.data(['agent', 'register', 'Olga', '--as', 'Otto'], { cwd: other });
    const here = { cwd: cli.git.top };
    expect(cli.data(['plan', 'check', '--repo', 'other'], here)).toMatchObject({ repo: 'other' });
    expect(cli.data(['plan', 'check', '--repo', './other'], here)).toMatchObject({ repo: 'other' });
    expect(cli.data(['plan', 'check', '--repo', basename(cli.dir)])).toMatchObject({
      repo: basename(cli.dir),
    });
    const all = cli.data(['plan', 'fix', '--all', '--as', 'Olga'], here);
    expect(all).toMatchObject({ repo: null, repos: [{ repo: 'other' }, { repo: basename(cli.dir) }] });
    expect(all.changed.filter(({ kind }: { kind: string }) => kind === 'task_created')).toMatchObject([
      { repo: 'other', task: 'O1' },
      { repo: basename(cli.dir), task: 'T1' },
      { repo: basename(cli.dir), task: 'T2' },
    ]);
    expect(cli.json(['plan', 'check', '--repo', 'othr'], here)).toMatchObject({
      code: 3,
      error: { message: expect.stringContaining('Did you mean "other"?') },
    });
  });

  it('files by the patterns of the settings', () => {
    const cli = fixture({
      'docs/plans/x.md': planText({ X1: 'todo' }),
      'docs/other.md': planText({ Y1: 'todo' }),
    });
    expect(cli.data(['plan', 'check']).findings).toEqual([]);
    cli.data(['config', 'set', 'workplans', '["docs/plans/*.md"]', '--as', 'Olga']);
    expect(cli.data(['plan', 'check']).findings).toMatchObject([{ code: 'C-10', task: 'X1' }]);
    for (const outside of ['["/etc/**"]', '["plans/../../**"]']) {
      const refused = cli.json(['config', 'set', 'workplans', outside, '--as', 'Olga']);
      expect(refused).toMatchObject({ code: 2, error: { code: 'invalid' } });
    }
  });
});

describe('each code is found where it should be', () => {
  const block = (id: string, more = '', status = 'todo') =>
    `\n\`\`\`task\nid: ${id}\nstatus: ${status}\n${more}\`\`\`\n`;
  const plan = (id: string, blocks: string, status = 'active') =>
    `---\nid: ${id}\ntype: workplan\nstatus: ${status}\n---\n${blocks}`;
  const id = '019a9c1e-0000-7000-8000-000000000001';
  const files: Record<string, string> = {
    'open.md': '---\ntype: workplan\n',
    'nameless.md': '---\ntype: workplan\n---\n',
    'one.md': plan('A', ''),
    'two.md': plan('A', ''),
    'pair.md': plan('B', block('B1', 'no pair\n')),
    'no-id.md': plan('C', '\n```task\nstatus: todo\n```\n'),
    'bad-id.md': plan('D', block('T 1; rm -rf')),
    'twin-1.md': plan('E', block('E1')),
    'twin-2.md': plan('F', block('E1')),
    'shared.md': plan('G', ['G1', 'G2'].map((name) => block(name, `state_hub_task_id: ${id}\n`)).join('')),
    'status.md': plan('H', block('H1', '', 'finished')),
    'dangling.md': plan('I', block('I1', 'depends_on: [I9]\n')),
    'circle.md': plan('J', block('J1', 'depends_on: J2\n') + block('J2', 'depends_on:\n- J1\n')),
    'not-done.md': plan('K', block('K1'), 'done'),
    'all-done.md': plan('L', block('L1', '', 'done')),
    'no-task.md': plan('M', block('M1', 'state_hub_task_id: "not-an-id"\n')),
    'other.md': '---\ntype: note\n---\n```task\nid: X\n```\n',
    'fine.md': plan('N', block('N1')),
  };
  const expected = [
    ['C-01', 'ERROR', 'open.md', undefined],
    ['C-02', 'WARN', 'nameless.md', undefined],
    ['C-03', 'ERROR', 'two.md', undefined],
    ['C-04', 'ERROR', 'bad-id.md', undefined],
    ['C-04', 'ERROR', 'no-id.md', undefined],
    ['C-04', 'ERROR', 'pair.md', 'B1'],
    ['C-05', 'ERROR', 'twin-1.md', 'E1'],
    ['C-05', 'ERROR', 'twin-2.md', 'E1'],
    ['C-06', 'ERROR', 'shared.md', 'G1'],
    ['C-06', 'ERROR', 'shared.md', 'G2'],
    ['C-07', 'ERROR', 'status.md', 'H1'],
    ['C-08', 'WARN', 'circle.md', 'J1'],
    ['C-08', 'WARN', 'dangling.md', 'I1'],
    ['C-09', 'WARN', 'all-done.md', undefined],
    ['C-09', 'WARN', 'not-done.md', undefined],
    ['C-12', 'ERROR', 'no-task.md', 'M1'],
  ];

  it('and what is not understood is not written to', () => {
    const cli = fixture(
      Object.fromEntries(Object.entries(files).map(([name, text]) => [`workplans/${name}`, text])),
    );
    type Found = { code: string; severity: string; file?: string; task?: string };
    const standing = (findings: Found[]) =>
      findings
        .filter(({ code }) => code !== 'C-10' && code !== 'C-11')
        .map(({ code, severity, file, task }) => [code, severity, file && basename(file), task])
        .sort((a, b) => `${a[0]}${a[2]}${a[3]}`.localeCompare(`${b[0]}${b[2]}${b[3]}`));
    const check = cli.json(['plan', 'check']);
    expect(check.code).toBe(6);
    expect(standing(check.data.findings)).toEqual(expected);
    const { data } = cli.json(['plan', 'fix', '--as', 'Olga']);
    expect(standing(data.findings)).toEqual(expected);
    const touched = new Set(data.changed.map(({ task }: { task: string }) => task));
    expect([...touched].sort()).toEqual(['I1', 'J1', 'J2', 'K1', 'L1', 'N1']);
    expect(cli.json(['plan', 'fix', '--as', 'Olga']).data.changed).toEqual([]);
  });

  it('C-12: a block that names another task than the database has; force takes the file for right', () => {
    const cli = fixture();
    fix(cli);
    const text = readFileSync(join(cli.dir, PLAN), 'utf8');
    cli.git.commit(
      'wrong id',
      { [PLAN]: text.replace(/state_hub_task_id: "[^"]+"/, `state_hub_task_id: "${id}"`) },
      cli.dir,
    );
    expect(cli.json(['plan', 'check'])).toMatchObject({
      code: 6,
      data: { findings: [{ code: 'C-12', task: 'T1' }] },
    });
    expect(cli.json(['plan', 'fix', '--as', 'Olga']).data).toMatchObject({
      findings: [{ code: 'C-12' }],
      changed: [],
    });
    expect(fix(cli, '--force').changed).toMatchObject([{ kind: 'task_created', task: 'T1', taskId: id }]);
    expect(cli.data(['plan', 'check']).findings).toEqual([]);
  });

  it('C-16: a task whose block is gone', () => {
    const cli = fixture();
    fix(cli);
    cli.git.commit('gone', { [PLAN]: planText({ T1: 'todo' }) }, cli.dir);
    expect(cli.data(['plan', 'check']).findings).toMatchObject([
      { code: 'C-16', severity: 'WARN', task: 'T2', file: PLAN },
    ]);
  });
});

it('a run that is killed after it has pulled goes on from there', () => {
  const cli = fixture();
  const remote = join(cli.git.top, 'remote.git');
  const other = join(cli.git.top, 'other');
  cli.git.gitIn(cli.dir, 'clone', '--quiet', '--bare', cli.dir, remote);
  cli.git.gitIn(cli.dir, 'remote', 'add', 'origin', remote);
  cli.git.gitIn(cli.dir, 'fetch', '--quiet');
  cli.git.gitIn(cli.dir, 'branch', '--quiet', '--set-upstream-to=origin/main');
  cli.git.gitIn(cli.git.top, 'clone', '--quiet', remote, other);
  const newer = cli.git.commit('newer', { [PLAN]: planText({ T1: 'todo', T9: 'todo' }) }, other);
  cli.git.gitIn(other, 'push', '--quiet');
  const killed = cli.run(['plan', 'fix', '--pull', '--as', 'Olga'], {
    env: { GITSWARM_CRASH_AT: 'plan.pulled' },
  });
  expect(killed.code).toBe(null);
  expect(cli.git.gitIn(cli.dir, 'rev-parse', 'HEAD')).toBe(newer);
  fix(cli, '--pull');
  const titles = cli.data(['task', 'list']).map(({ title }: { title: string }) => title.slice(0, 2));
  expect(titles).toEqual(['T1', 'T9']);
  expect(fix(cli)).toMatchObject({ findings: [], changed: [] });
});

it('a run that is killed at any of its steps is finished by the next, with one task for each block', () => {
  for (const step of ['plan.linked', 'plan.carried', 'plan.written']) {
    const cli = fixture({ [PLAN]: planText({ T1: 'done', T2: 'in_progress', T3: 'todo' }) });
    const killed = cli.run(['plan', 'fix', '--as', 'Olga'], { env: { GITSWARM_CRASH_AT: step } });
    expect(killed.code, step).toBe(null);
    fix(cli);
    expect(fix(cli)).toMatchObject({ findings: [], changed: [] });
    const tasks = cli
      .data(['task', 'list'])
      .map(({ title, status }: { title: string; status: string }) => [title.slice(0, 2), status]);
    expect(tasks).toEqual([
      ['T1', 'completed'],
      ['T2', 'claimed'],
      ['T3', 'open'],
    ]);
    expect(cli.git.gitIn(cli.dir, 'status', '--porcelain', '--', 'workplans')).toBe('');
  }
});
