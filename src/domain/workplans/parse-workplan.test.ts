import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applySplices, differsOnlyInOurs, statusSplice, taskIdSplice } from './edit-workplan.ts';
import { parseWorkplan, type TaskBlock } from './parse-workplan.ts';

const ID = '019a9c1e-0000-7000-8000-000000000001';
const FRONT = '---\nid: WP-1\ntype: workplan\nstatus: active\n---\n';

function blocksOf(text: string | Buffer): TaskBlock[] {
  const parsed = parseWorkplan(Buffer.from(text as string));
  if (parsed.kind !== 'workplan') throw new Error(`${parsed.kind}: ${JSON.stringify(parsed)}`);
  return parsed.plan.blocks;
}

function values(block: TaskBlock | undefined): Record<string, string> {
  return Object.fromEntries([...(block?.fields ?? [])].map(([key, field]) => [key, field.value]));
}

/** The file with the status of its only block set and an id written. */
function edited(text: string, edits: { status?: 'done'; id?: boolean }): string {
  const [block] = blocksOf(text);
  if (!block) throw new Error('no block');
  const splices = [
    ...(edits.status ? [statusSplice(block, edits.status) ?? { start: 0, end: 0, text: 'NO STATUS' }] : []),
    ...(edits.id ? [taskIdSplice(block, ID)] : []),
  ];
  return applySplices(Buffer.from(text), splices).toString('utf8');
}

describe('what is a workplan', () => {
  it.each([
    ['no front matter', '# Notes\n', 'other'],
    ['another type', '---\ntype: note\n---\n', 'other'],
    ['nothing', '', 'other'],
    ['only a dash line', '---', 'other'],
    ['a front matter in the middle', `text\n${FRONT}`, 'other'],
    ['a closed front matter', FRONT, 'workplan'],
    ['a quoted type', '---\ntype: "workplan" # yes\n---', 'workplan'],
    ['a byte order mark', `\ufeff${FRONT}`, 'workplan'],
    ['carriage returns', FRONT.replaceAll('\n', '\r\n'), 'workplan'],
    ['an open front matter', '---\ntype: workplan\n\n# Title\n', 'unusable'],
  ])('%s', (_what, text, kind) => {
    expect(parseWorkplan(Buffer.from(text)).kind).toBe(kind);
  });

  it('other encodings are told, not guessed', () => {
    expect(parseWorkplan(Buffer.from('\ufeff---\n', 'utf16le'))).toMatchObject({ reason: /UTF-16/ });
    const broken = Buffer.concat([Buffer.from(FRONT), Buffer.from([0xff, 0xfe, 0x00])]);
    expect(parseWorkplan(broken)).toMatchObject({ reason: /not valid UTF-8/ });
  });
});

describe('where a task block is one', () => {
  const TASK = '```task\nid: T1\nstatus: todo\n```\n';
  it.each([
    ['in plain text', `${FRONT}text\n\n${TASK}`, 1],
    ['with tildes', `${FRONT}~~~task\nid: T1\nstatus: todo\n~~~\n`, 1],
    ['with a longer closing fence', `${FRONT}\`\`\`task\nid: T1\nstatus: todo\n\`\`\`\`\`\n`, 1],
    ['with words behind', `${FRONT}\`\`\` task  title=x\nid: T1\nstatus: todo\n\`\`\`\n`, 1],
    ['indented by three', `${FRONT}   \`\`\`task\n   id: T1\n   status: todo\n   \`\`\`\n`, 1],
    ['not indented by four', `${FRONT}    \`\`\`task\n    id: T1\n    \`\`\`\n`, 0],
    ['not in a fence of four', `${FRONT}\`\`\`\`markdown\n${TASK}\`\`\`\`\n`, 0],
    ['not in tildes', `${FRONT}~~~\n${TASK}~~~\n`, 0],
    ['not in another code block', `${FRONT}\`\`\`text\n~~~task\nid: T1\n~~~\n\`\`\`\n`, 0],
    ['not commented out', `${FRONT}<!--\n${TASK}-->\n`, 0],
    ['after a comment of one line', `${FRONT}<!-- note -->\n${TASK}`, 1],
    ['not in a pre element', `${FRONT}<pre>\n${TASK}</pre>\n`, 0],
    ['not a language that begins so', `${FRONT}\`\`\`tasks\nid: T1\n\`\`\`\n`, 0],
    ['not in a quotation', `${FRONT}> \`\`\`task\n> id: T1\n> \`\`\`\n`, 0],
    ['after a block that ends', `${FRONT}\`\`\`sh\nx\n\`\`\`\n${TASK}`, 1],
    ['at the end without line feed', `${FRONT}${TASK.trimEnd()}`, 1],
  ])('%s', (_what, text, count) => {
    const blocks = blocksOf(text);
    expect(blocks.length).toBe(count);
    for (const block of blocks)
      expect([values(block), block.problems]).toEqual([{ id: 'T1', status: 'todo' }, []]);
  });
});

describe('what a block says', () => {
  const block = (lines: string) => blocksOf(`${FRONT}\`\`\`task\n${lines}\n\`\`\`\n`)[0];
  it.each([
    ['quotes and comments', `id: "T1" # the first\nstatus: 'todo'`, { id: 'T1', status: 'todo' }],
    ['tabs', 'id:\tT1\nstatus:\t\ttodo\t# now', { id: 'T1', status: 'todo' }],
    ['a hash in a word', 'id: T#1\nstatus: todo', { id: 'T#1', status: 'todo' }],
    ['letters beyond ASCII', 'id: T1\ntitle: "Größe # 1"', { id: 'T1', title: 'Größe # 1' }],
    [
      'nested keys are not its own',
      'id: T1\nnotes:\n  status: done\nstatus: todo',
      { id: 'T1', notes: '', status: 'todo' },
    ],
    [
      'a text of several lines',
      'id: T1\ntext: |\n  status: done\n\n  id: X\nstatus: todo',
      { id: 'T1', text: '', status: 'todo' },
    ],
    ['comments and blank lines', '# a\n\nid: T1\n   # b\nstatus: todo', { id: 'T1', status: 'todo' }],
    ['the same indentation throughout', '\tid: T1\n\tstatus: todo', { id: 'T1', status: 'todo' }],
  ])('%s', (_what, lines, expected) => {
    const found = block(lines);
    expect([values(found), found?.problems]).toEqual([expected, []]);
  });

  it.each([
    ['id: T1\nid: T2', 'id is there twice', 9],
    ['id: T1\njust words', 'is no `key: value`', 9],
    ['id: T1\nstatus:todo', 'is no `key: value`', 9],
    ['id: "T1', 'id: its quotes are not closed', 8],
    ['id: "T1" x', 'id: something follows its quotes', 8],
    ['depends_on: [a, b', 'depends_on: its list is not closed', 8],
    ['  id: T1\nstatus: todo', 'is indented differently from the lines above', 9],
  ])('%j is told with its line', (lines, text, line) => {
    expect(block(lines)?.problems).toEqual([{ line: line - 1, text }]);
  });

  it('a block that is not closed is told', () => {
    expect(blocksOf(`${FRONT}\`\`\`task\nid: T1\nstatus: todo\n`)[0]?.problems).toEqual([
      { line: 6, text: 'the block is not closed' },
    ]);
  });

  it('lists come in both forms', () => {
    const items = (lines: string) => block(lines)?.fields.get('depends_on')?.items;
    expect(items('depends_on: [A, "B" ,C]')).toEqual(['A', 'B', 'C']);
    expect(items("depends_on:\n- A\n- 'B'")).toEqual(['A', 'B']);
    expect(items('depends_on: [] # none')).toEqual([]);
  });

  it('knows the heading above and the text below', () => {
    const text = `${FRONT}# Plan\n\n## T1 — Größe ##\n\n\`\`\`task\nid: T1\n\`\`\`\nWhat to do.\n\n\`\`\`sh\n# no heading\n\`\`\`\n### T2\n\`\`\`task\nid: T2\n\`\`\`\n### T3\n`;
    const [first, second] = blocksOf(text);
    expect([first?.heading, second?.heading]).toEqual(['T1 — Größe', 'T2']);
    const body = (found?: TaskBlock) =>
      Buffer.from(text).toString('utf8', found?.body.start, found?.body.end);
    expect(body(first)).toBe('What to do.\n\n```sh\n# no heading\n```\n');
    expect(body(second)).toBe('');
  });
});

describe('an edit changes its own bytes and no other', () => {
  const plan = (lines: string, eol = '\n') =>
    `${FRONT}x\t\n\`\`\`task\n${lines}\n\`\`\`\nend`.replaceAll('\n', eol);
  it.each([
    ['plain', 'id: T1\nstatus: todo', 'id: T1\nstatus: done'],
    ['quoted, with comment', 'id: T1\nstatus:   "todo"  # soon', 'id: T1\nstatus:   "done"  # soon'],
    ['single quotes and a tab', "status:\t'todo'\t\nid: T1", "status:\t'done'\t\nid: T1"],
  ])('a status: %s', (_what, before, after) => {
    for (const eol of ['\n', '\r\n'])
      expect(edited(plan(before, eol), { status: 'done' })).toBe(plan(after, eol));
  });

  it.each([
    ['a line of its own', 'id: T1\nstatus: todo', `id: T1\nstatus: todo\nstate_hub_task_id: "${ID}"`],
    ['its indentation', '\tid: T1\n\tstatus: todo', `\tid: T1\n\tstatus: todo\n\tstate_hub_task_id: "${ID}"`],
    [
      'an empty field',
      'id: T1\nstate_hub_task_id:\nstatus: todo',
      `id: T1\nstate_hub_task_id: "${ID}"\nstatus: todo`,
    ],
    ['empty quotes', 'id: T1\nstate_hub_task_id: ""  # later', `id: T1\nstate_hub_task_id: "${ID}"  # later`],
    [
      'the other name',
      'id: T1\ngitswarm_task_id: \nstatus: todo',
      `id: T1\ngitswarm_task_id: "${ID}"\nstatus: todo`,
    ],
    [
      'a comment in its place',
      'id: T1\nstate_hub_task_id:   # later',
      `id: T1\nstate_hub_task_id: "${ID}"  # later`,
    ],
  ])('an id: %s', (_what, before, after) => {
    for (const eol of ['\n', '\r\n']) expect(edited(plan(before, eol), { id: true })).toBe(plan(after, eol));
  });

  it('a byte order mark, letters and a missing last line feed stay', () => {
    const text = `\ufeff${plan('title: "Größe"\nid: T1\nstatus: todo')}ß`;
    expect(edited(text, { status: 'done' })).toBe(text.replace('todo', 'done'));
  });

  it('of two versions it can be told whether only that differs', () => {
    const before = plan('id: T1\nstatus: todo');
    const is = (after: string) => differsOnlyInOurs(Buffer.from(before), Buffer.from(after));
    expect(is(edited(before, { status: 'done', id: true }))).toBe(true);
    expect(is(before.replace('T1', 'T2'))).toBe(false);
    expect(is(before.replace('end', 'END'))).toBe(false);
    expect(is(before.replace('active', 'done'))).toBe(false);
  });
});

/** Pieces that mean something somewhere, in every order. */
const piece = fc.constantFrom(
  ...[
    '---\n',
    '```task\n',
    '```\n',
    '````\n',
    '~~~task\n',
    '~~~\n',
    'id: T1\n',
    'id: "T2"\r\n',
    'status: todo\n',
  ],
  ...[
    'status: "done" # x\n',
    'status:\n',
    'state_hub_task_id: ""\n',
    '# Heading\n',
    '<!--\n',
    '-->\n',
    '\t',
    '   ',
  ],
  ...[
    'type: workplan\n',
    '- item\n',
    'text: |\n',
    '  status: todo\n',
    '\u0000',
    'ß',
    '\r',
    '\n',
    '\ufeff',
    'x',
  ],
);

it('whatever a file holds, it is read, and an edit is found again where it was put, all else being equal', () => {
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60 }), fc.boolean(), (pieces, isPlan) => {
      const bytes = Buffer.from(`${isPlan ? FRONT : ''}${pieces.join('')}`);
      const parsed = parseWorkplan(bytes);
      if (parsed.kind !== 'workplan') return;
      for (const [at, block] of parsed.plan.blocks.entries()) {
        if (block.problems.length > 0) continue;
        const splices = [statusSplice(block, 'in_progress') ?? [], taskIdSplice(block, ID)].flat();
        const after = applySplices(bytes, splices);
        const again = blocksOf(after)[at];
        const expected = { ...values(block), ...(splices.length > 1 ? { status: 'in_progress' } : {}) };
        const key = block.fields.has('gitswarm_task_id') ? 'gitswarm_task_id' : 'state_hub_task_id';
        expect(values(again)).toEqual({ ...expected, [key]: ID });
        expect(again?.problems).toEqual([]);
        expect(differsOnlyInOurs(bytes, after)).toBe(true);
      }
    }),
    { numRuns: 3000 },
  );
});
