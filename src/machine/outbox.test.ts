import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { tempDir } from '../../test/support/temp-dir.ts';
import { type MachineOptions, openMachine } from './machine.ts';
import {
  countOutbox,
  keepWaiting,
  listOutbox,
  listWaiting,
  type NewEntry,
  putIntoOutbox,
  rejectEntry,
  takeOut,
  waitAgain,
} from './outbox.ts';

const AT = '2026-03-01T00:00:00.000Z';
const entry = (title: string, more: Partial<NewEntry> = {}): NewEntry => ({
  operation: 'task.create',
  actorId: 'coder',
  input: { title },
  state: 'waiting',
  at: AT,
  ...more,
});
const titles = (entries: { input: Record<string, unknown> }[]) => entries.map(({ input }) => input.title);

function makeMachine(options: MachineOptions = {}, dir = tempDir('machine')) {
  return openMachine(dir, options);
}

describe('the outbox', () => {
  it('keeps what is put into it in order, with everything that a request needs', () => {
    const machine = makeMachine();
    const input = { title: 'ä\u0000"\n', list: [1, null, { deep: true }], none: null };
    const { seq, key } = putIntoOutbox(machine, entry('', { input, key: 'chosen' }));
    expect(key).toBe('chosen');
    const other = putIntoOutbox(machine, entry('two'));
    expect(other.seq).toBeGreaterThan(seq);
    expect(other.key).not.toBe('');
    expect(listOutbox(machine)[0]).toEqual({
      ...{ seq, key, operation: 'task.create', actorId: 'coder', input, state: 'waiting' },
      ...{ attempts: 0, error: null, createdAt: AT },
    });
    expect(titles(listWaiting(machine, 10)).slice(1)).toEqual(['two']);
    expect(listWaiting(machine, 1)).toHaveLength(1);
    machine.close();
  });

  it('gives every call a key of its own', () => {
    const machine = makeMachine();
    const keys = Array.from({ length: 50 }, () => putIntoOutbox(machine, entry('same')).key);
    expect(new Set(keys).size).toBe(50);
    // As the server takes them.
    for (const key of keys) expect(key).toMatch(/^[\x21-\x7e]{1,200}$/);
    machine.close();
  });

  it('holds what has the same key once, as it was first put in', () => {
    const machine = makeMachine();
    const first = putIntoOutbox(machine, entry('first', { key: 'k' }));
    putIntoOutbox(machine, entry('between'));
    expect(putIntoOutbox(machine, entry('again', { key: 'k', state: 'sending' }))).toEqual(first);
    expect(titles(listWaiting(machine, 10))).toEqual(['first', 'between']);
    machine.close();
  });

  it('never gives a place again, so that what is new comes behind what was there', () => {
    const machine = makeMachine();
    const { seq } = putIntoOutbox(machine, entry('one'));
    expect(takeOut(machine, seq)).toBe(true);
    expect(takeOut(machine, seq)).toBe(false);
    expect(putIntoOutbox(machine, entry('two')).seq).toBeGreaterThan(seq);
    machine.close();
  });

  it('what a process is sending is its own until that process has died', () => {
    const dir = tempDir('machine');
    const dead = new Set<string>();
    const machine = makeMachine({ isAlive: (holder) => !dead.has(holder) }, dir);
    putIntoOutbox(machine, entry('sending', { state: 'sending' }));
    putIntoOutbox(machine, entry('waiting'));
    expect(titles(listWaiting(machine, 10))).toEqual(['waiting']);
    expect(countOutbox(machine)).toEqual({ waiting: 1, rejected: 0 });
    expect(listOutbox(machine)).toHaveLength(2);
    dead.add(machine.holder);
    expect(titles(listWaiting(machine, 10))).toEqual(['sending', 'waiting']);
    expect(titles(listWaiting(machine, 1))).toEqual(['sending']);
    expect(countOutbox(machine)).toEqual({ waiting: 2, rejected: 0 });
    machine.close();
  });

  it('what is refused stays with the reason until it is sent again in its place, or given up', () => {
    const machine = makeMachine();
    const [one, two, three] = ['one', 'two', 'three'].map(
      (title) => putIntoOutbox(machine, entry(title)).seq,
    );
    if (one === undefined || two === undefined || three === undefined) throw new Error('Nothing was put in.');
    const why = { code: 'not_allowed', message: 'No.', fix: 'Ask the owner.' };
    rejectEntry(machine, one, why);
    rejectEntry(machine, three, why);
    keepWaiting(machine, two, { code: 'busy', message: 'Later.' });
    keepWaiting(machine, two);
    expect(countOutbox(machine)).toEqual({ waiting: 1, rejected: 2 });
    expect(listOutbox(machine)).toMatchObject([
      { state: 'rejected', attempts: 1, error: why },
      { state: 'waiting', attempts: 1, error: null },
      { state: 'rejected' },
    ]);
    expect(waitAgain(machine, two)).toBe(0);
    expect(waitAgain(machine, one)).toBe(1);
    expect(titles(listWaiting(machine, 10))).toEqual(['one', 'two']);
    expect(waitAgain(machine)).toBe(1);
    expect(waitAgain(machine)).toBe(0);
    expect(titles(listWaiting(machine, 10))).toEqual(['one', 'two', 'three']);
    takeOut(machine, two);
    expect(titles(listOutbox(machine))).toEqual(['one', 'three']);
    machine.close();
  });

  it('several processes at the same time lose nothing, and what the dead were sending is found', () => {
    const dir = tempDir('machine');
    makeMachine({}, dir).all('select 1');
    const program = `
      import { openMachine } from '${new URL('./machine.ts', import.meta.url).pathname}';
      import { putIntoOutbox } from '${new URL('./outbox.ts', import.meta.url).pathname}';
      const machine = openMachine(process.argv[1]);
      for (let n = 0; n < 40; n++) {
        const state = n % 2 === 0 ? 'waiting' : 'sending';
        const input = { title: process.argv[2] + n };
        putIntoOutbox(machine, { operation: 'task.create', actorId: 'coder', input, state, at: '${AT}' });
      }
      process.kill(process.pid, 'SIGKILL');
    `;
    const names = ['a', 'b', 'c'];
    const shell = names.map((_, n) => `"$0" --input-type=module -e "$1" "$2" "$${n + 3}" &`).join(' ');
    const argv = ['-c', `${shell} wait`, process.execPath, program, dir, ...names];
    const { stderr } = spawnSync('/bin/sh', argv, { encoding: 'utf8' });
    const machine = makeMachine({}, dir);
    const waiting = listWaiting(machine, 1000);
    expect({ found: waiting.length, stderr: waiting.length === 120 ? '' : stderr }).toEqual({
      found: 120,
      stderr: '',
    });
    for (const name of names) {
      const own = titles(waiting).filter((title) => String(title).startsWith(name));
      expect(own).toEqual(Array.from({ length: 40 }, (_, n) => `${name}${n}`));
    }
    expect(countOutbox(machine)).toEqual({ waiting: 120, rejected: 0 });
    machine.close();
  });
});
