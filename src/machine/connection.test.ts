import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { tempDir } from '../../test/support/temp-dir.ts';
import {
  type Connection,
  deleteConnection,
  findConnection,
  readToken,
  recordLook,
  saveConnection,
} from './connection.ts';
import { openMachine } from './machine.ts';
import { putIntoOutbox } from './outbox.ts';
import { findRememberedAnswer, forgetAnswersBefore, rememberAnswers } from './remembered-answers.ts';

const AT = '2026-03-01T00:00:00.000Z';
const LATER = '2026-03-02T00:00:00.000Z';
const connection: Connection = {
  url: 'https://swarm.example',
  repoId: 'r',
  agentId: 'a',
  agentName: 'coder',
  remote: 'origin',
  cursor: '7',
  lookedAt: null,
  connectedAt: AT,
};

describe('the connection to a server', () => {
  it('is there as it was saved, and is one', () => {
    const dir = tempDir('machine');
    const machine = openMachine(dir);
    expect(findConnection(machine)).toBeUndefined();
    saveConnection(machine, connection, 'gsw_one');
    const other = { ...connection, url: 'http://127.0.0.1:1', remote: null, cursor: null };
    saveConnection(machine, other, 'gsw_two');
    machine.close();
    const next = openMachine(dir);
    expect(findConnection(next)).toEqual(other);
    expect(readToken(next)).toBe('gsw_two');
    recordLook(next, { cursor: '9', at: LATER });
    expect(findConnection(next)).toEqual({ ...other, cursor: '9', lookedAt: LATER });
    next.close();
  });

  it('forgets what another server, or the same about another repository, has answered', () => {
    const machine = openMachine(tempDir('machine'));
    const known = () => findRememberedAnswer(machine, 'q')?.answer;
    saveConnection(machine, connection, 'gsw_one');
    for (const other of [{ url: 'https://other.example' }, { repoId: 'r2' }]) {
      saveConnection(machine, connection, 'gsw_one');
      rememberAnswers(machine, [{ questions: ['q'], answer: 1 }], AT);
      saveConnection(machine, { ...connection, agentName: 'another' }, 'gsw_two');
      expect(known()).toBe(1);
      saveConnection(machine, { ...connection, ...other }, 'gsw_two');
      expect(known()).toBeUndefined();
    }
    machine.close();
  });

  it('has a token that nobody else may read, whatever rights its file had', () => {
    const machine = openMachine(tempDir('machine'));
    const file = join(machine.localDir, 'server-token');
    const mode = () => statSync(file).mode & 0o777;
    saveConnection(machine, connection, 'gsw_one');
    expect(mode()).toBe(0o600);
    deleteConnection(machine);
    mkdirSync(machine.localDir, { recursive: true });
    writeFileSync(file, 'an older and much longer token of somebody', { mode: 0o666 });
    saveConnection(machine, connection, 'gsw_two');
    expect(mode()).toBe(0o600);
    expect(readToken(machine)).toBe('gsw_two');
    machine.close();
  });

  it('is forgotten with its token and what the server said, and not with what waits', () => {
    const machine = openMachine(tempDir('machine'));
    saveConnection(machine, connection, 'gsw_one');
    rememberAnswers(machine, [{ questions: ['q'], answer: 1 }], AT);
    const waiting = { operation: 'task.create', actorId: 'a', input: {}, state: 'waiting', at: AT } as const;
    putIntoOutbox(machine, waiting);
    deleteConnection(machine);
    expect(findConnection(machine)).toBeUndefined();
    expect(readToken(machine)).toBeUndefined();
    expect(existsSync(join(machine.localDir, 'server-token'))).toBe(false);
    expect(findRememberedAnswer(machine, 'q')).toBeUndefined();
    expect(machine.get('select count(*) as n from outbox')).toEqual({ n: 1 });
    deleteConnection(machine);
    machine.close();
  });

  it('remembers the last answer under each of its questions, and forgets what is old', () => {
    const machine = openMachine(tempDir('machine'));
    rememberAnswers(machine, [{ questions: ['id', 'handle', 'id'], answer: { n: 1 } }], AT);
    rememberAnswers(machine, [{ questions: ['handle'], answer: { n: 2 } }], LATER);
    expect(findRememberedAnswer(machine, 'id')).toEqual({ answer: { n: 1 }, askedAt: AT });
    expect(findRememberedAnswer(machine, 'handle')).toEqual({ answer: { n: 2 }, askedAt: LATER });
    expect(findRememberedAnswer(machine, 'other')).toBeUndefined();
    expect(forgetAnswersBefore(machine, LATER)).toBe(1);
    expect(findRememberedAnswer(machine, 'id')).toBeUndefined();
    machine.close();
  });
});
