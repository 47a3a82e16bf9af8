import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, it, onTestFinished } from 'vitest';
import { tempDir } from '../../test/support/temp-dir.ts';
import { giveBackCheckout, insertCheckout, listCheckouts, takeCheckout } from './checkouts.ts';
import { adoptIntent, finishIntent, insertIntent, listIntents, listOrphanedIntents } from './intents.ts';
import { type Machine, openMachine } from './machine.ts';
import { listPredictions, recordPredictions } from './predictions.ts';
import { holderOf } from './process-identity.ts';
import { appendQueueEvents, countQueueEvents, listQueueEvents, restartQueueEvents } from './queue-events.ts';
import {
  findRunOutput,
  finishRunOutput,
  listRunOutputs,
  pruneRunOutputs,
  readTail,
  startRunOutput,
} from './run-outputs.ts';
import { findSeenHead, recordSeenHead } from './seen-heads.ts';
import { endSession, endSessionsOf, findSession, insertSession } from './sessions.ts';
import { distrustCommand, isTrusted, listTrustedCommands, trustCommand } from './trusted-commands.ts';
import { countRuns, deleteVerdict, findVerdict, getFlakeCount, recordVerdict } from './verdicts.ts';
import * as workspaces from './workspaces.ts';

const at = '2026-01-01T00:00:00.000Z';
const later = '2026-01-02T00:00:00.000Z';
const gone = holderOf().replace(/^\d+ \S+/, '999999999 1');

function newMachine(dir = tempDir('machine')): Machine {
  const machine = openMachine(dir);
  onTestFinished(() => machine.close());
  return machine;
}

it('opens nothing before the first question', () => {
  const machine = newMachine();
  expect(existsSync(join(machine.dir, 'local'))).toBe(false);
  expect(workspaces.listWorkspaces(machine)).toEqual([]);
  expect(existsSync(join(machine.dir, 'local/machine.db'))).toBe(true);
});

it('refuses the file of a newer program', () => {
  const machine = newMachine();
  workspaces.listWorkspaces(machine);
  machine.close();
  const db = new DatabaseSync(join(machine.localDir, 'machine.db'));
  db.exec('pragma user_version = 99');
  db.close();
  expect(() => workspaces.listWorkspaces(machine)).toThrow(expect.objectContaining({ code: 'newer_schema' }));
});

it('names a file that is damaged', () => {
  const machine = newMachine();
  workspaces.listWorkspaces(machine);
  machine.close();
  const file = join(machine.localDir, 'machine.db');
  writeFileSync(file, 'not a database '.repeat(500));
  const message = expect.stringContaining(file);
  expect(() => workspaces.listWorkspaces(machine)).toThrow(
    expect.objectContaining({ code: 'internal', message }),
  );
});

it('undoes a write that throws', () => {
  const machine = newMachine();
  const failing = () =>
    machine.write(() => {
      recordSeenHead(machine, { streamId: 's', agentId: 'a', head: 'h', at });
      throw new Error('no');
    });
  expect(failing).toThrow('no');
  expect(findSeenHead(machine, 's', 'a')).toBeUndefined();
});

it('keeps workspaces, found by stream or directory', () => {
  const machine = newMachine();
  const workspace = {
    stream_id: 's',
    path: '/w',
    agent_id: 'a',
    branch: 'b',
    synced_oid: null,
    created_at: at,
  };
  workspaces.insertWorkspace(machine, workspace);
  workspaces.setSyncedOid(machine, 's', 'oid');
  workspaces.moveWorkspace(machine, 's', '/v');
  expect(workspaces.findWorkspaceAt(machine, '/w')).toBeUndefined();
  const found = workspaces.findWorkspace(machine, 's');
  expect(found).toEqual({ ...workspace, path: '/v', synced_oid: 'oid' });
  expect(workspaces.findWorkspaceAt(machine, '/v')).toEqual(found);
  workspaces.deleteWorkspace(machine, 's');
  expect(workspaces.listWorkspaces(machine)).toEqual([]);
});

it('knows who is at work in a workspace, and forgets processes that are gone', () => {
  const machine = newMachine();
  const workspace = {
    stream_id: 's',
    path: '/w',
    agent_id: 'a',
    branch: 'b',
    synced_oid: null,
    created_at: at,
  };
  workspaces.insertWorkspace(machine, workspace);
  const run = workspaces.enterWorkspace(machine, { streamId: 's', reason: 'swarm run', at });
  workspaces.enterWorkspace(machine, { streamId: 's', reason: 'exec', at, holder: gone });
  expect(workspaces.listWorkspaceUses(machine, 's').map((use) => use.reason)).toEqual(['swarm run']);
  workspaces.leaveWorkspace(machine, run);
  expect(workspaces.listWorkspaceUses(machine, 's')).toEqual([]);
});

it('offers for repair only intents whose process is gone, to one process', () => {
  const machine = newMachine();
  const mine = insertIntent(machine, { kind: 'create', data: { path: '/w' }, at });
  const orphan = insertIntent(machine, { kind: 'destroy', data: null, at });
  machine.run('update intent set holder = ? where id = ?', gone, orphan);
  const [found, ...others] = listOrphanedIntents(machine);
  expect([found?.id, others]).toEqual([orphan, []]);
  expect(found && adoptIntent(machine, found)).toBe(true);
  expect(found && adoptIntent(machine, found)).toBe(false);
  expect(listOrphanedIntents(machine)).toEqual([]);
  finishIntent(machine, mine);
  expect(listIntents(machine).map((intent) => intent.id)).toEqual([orphan]);
});

it('keeps the newest outputs and those being written', () => {
  const machine = newMachine();
  const outputs = ['2026-01-01', '2026-01-02', '2026-01-03', '2026-01-04'].map((day) =>
    startRunOutput(machine, { kind: 'test', subject: 's', at: `${day}T00:00:00.000Z` }),
  );
  const [running, ...ended] = outputs.map((output) => output.id);
  for (const { id, path } of outputs) {
    writeFileSync(path, 'first\nsecond\nthird\n');
    if (id !== running) finishRunOutput(machine, id, { exit: 1, truncated: true, at: later });
  }
  const [oldest = '', second = '', newest = ''] = ended;
  expect(findRunOutput(machine, newest)).toMatchObject({ exit: 1, truncated: 1, size: 19, ended_at: later });
  expect(pruneRunOutputs(machine, { keep: 2, bytes: 1000 })).toBe(1);
  expect(listRunOutputs(machine, { limit: 9 }).map((o) => o.id)).toEqual([newest, second, running]);
  expect(existsSync(join(machine.localDir, 'runs', `${oldest}.log`))).toBe(false);
  expect(pruneRunOutputs(machine, { keep: 9, bytes: 20 })).toBe(1);
  expect(listRunOutputs(machine, { subject: 'another', limit: 9 })).toEqual([]);
  const path = join(machine.localDir, 'runs', `${newest}.log`);
  expect([readTail(path, 100), readTail(path, 9), readTail('/none', 9)]).toEqual([
    'first\nsecond\nthird\n',
    'third\n',
    '',
  ]);
});

it('remembers the latest verdict on the same tree, command and environment', () => {
  const machine = newMachine();
  const key = { tree: 't', commandHash: 'c', environmentHash: 'e' };
  const verdict = { result: 'red' as const, durationMs: 5, outputId: null, createdAt: at };
  recordVerdict(machine, key, verdict);
  recordVerdict(machine, key, { ...verdict, result: 'green', outputId: 'o' });
  expect(findVerdict(machine, key)).toEqual({ ...verdict, result: 'green', outputId: 'o' });
  expect(findVerdict(machine, { ...key, environmentHash: 'x' })).toBeUndefined();
  deleteVerdict(machine, key);
  expect(findVerdict(machine, key)).toBeUndefined();
  expect(getFlakeCount(machine, 'c')).toEqual({ runs: 0, flakes: 0 });
  countRuns(machine, 'c', { runs: 2, flakes: 1 });
  countRuns(machine, 'c', { runs: 1, flakes: 0 });
  expect(getFlakeCount(machine, 'c')).toEqual({ runs: 3, flakes: 1 });
});

it('hands out the checkout that needs the least work, and each only once', () => {
  const machine = newMachine();
  const [one, two] = [
    insertCheckout(machine, { path: '/1', at }),
    insertCheckout(machine, { path: '/2', at }),
  ];
  expect(takeCheckout(machine, { oid: 'a', setupHash: 'x', at })).toBeUndefined();
  expect(giveBackCheckout(machine, one.id, { oid: 'a', setupHash: 'x', at })).toBe(true);
  expect(giveBackCheckout(machine, two.id, { oid: 'b', setupHash: 'x', at })).toBe(true);
  expect(giveBackCheckout(machine, two.id, { oid: 'b', setupHash: 'x', at })).toBe(false);
  expect(takeCheckout(machine, { oid: 'b', setupHash: 'x', at })?.id).toBe(two.id);
  expect(takeCheckout(machine, { oid: 'b', setupHash: 'x', at })?.id).toBe(one.id);
  expect(takeCheckout(machine, { oid: 'b', setupHash: 'x', at })).toBeUndefined();
});

it('takes back the checkout of a process that is gone, with its content unknown', () => {
  const machine = newMachine();
  const { id } = insertCheckout(machine, { path: '/1', at });
  machine.run("update checkout set holder = ?, oid = 'a', setup_hash = 'x'", gone);
  const taken = takeCheckout(machine, { oid: 'a', setupHash: 'x', at });
  expect(taken).toEqual({ id, path: '/1', holder: machine.holder, oid: null, setup_hash: null, used_at: at });
});

it('gives 8 processes that ask at once 8 different checkouts', async () => {
  const machine = newMachine();
  for (let i = 0; i < 8; i++) insertCheckout(machine, { path: `/${i}`, at });
  machine.run('update checkout set holder = null');
  machine.close();
  const program = new URL('./fixtures/take-checkout.ts', import.meta.url).pathname;
  const takers = Array.from({ length: 8 }, () =>
    spawn(process.execPath, ['--no-warnings', program, machine.dir], { stdio: ['pipe', 'pipe', 'inherit'] }),
  );
  const taken = await Promise.all(takers.map(async (taker) => String((await once(taker.stdout, 'data'))[0])));
  expect(new Set(taken)).toEqual(new Set(listCheckouts(machine).map((checkout) => checkout.id)));
  await Promise.all(takers.map((taker) => once(taker.stdin.end() && taker, 'exit')));
});

it('trusts a command word for word', () => {
  const machine = newMachine();
  trustCommand(machine, { kind: 'stabilize_command', text: 'npm test', approvedBy: 'me', at });
  trustCommand(machine, { kind: 'stabilize_command', text: 'npm test', approvedBy: 'you', at: later });
  expect(isTrusted(machine, 'stabilize_command', 'npm test')).toBe(true);
  expect(isTrusted(machine, 'stabilize_command', 'npm test ')).toBe(false);
  expect(isTrusted(machine, 'workspace.setup', 'npm test')).toBe(false);
  expect(listTrustedCommands(machine)).toMatchObject([
    { text: 'npm test', approved_by: 'me', approved_at: at },
  ]);
  distrustCommand(machine, 'stabilize_command', 'npm test');
  expect(isTrusted(machine, 'stabilize_command', 'npm test')).toBe(false);
});

it('remembers the head a reviewer saw last', () => {
  const machine = newMachine();
  recordSeenHead(machine, { streamId: 's', agentId: 'a', head: 'one', at });
  recordSeenHead(machine, { streamId: 's', agentId: 'a', head: 'two', at: later });
  expect(findSeenHead(machine, 's', 'a')).toEqual({ head: 'two', seen_at: later });
  expect(findSeenHead(machine, 's', 'b')).toBeUndefined();
});

it('knows a session by its token until it ends, and keeps no token', () => {
  const machine = newMachine();
  insertSession(machine, { token: 'secret-1', agentId: 'a', streamId: 's', at });
  insertSession(machine, { token: 'secret-2', agentId: 'a', streamId: 's', at });
  expect(findSession(machine, 'secret-1')).toEqual({
    agent_id: 'a',
    stream_id: 's',
    created_at: at,
    ended_at: null,
  });
  expect(findSession(machine, 'secret-3')).toBeUndefined();
  expect(JSON.stringify(machine.all('select * from session'))).not.toContain('secret');
  endSession(machine, 'secret-1', later);
  expect(findSession(machine, 'secret-1')).toBeUndefined();
  endSessionsOf(machine, 's', later);
  expect(findSession(machine, 'secret-2')).toBeUndefined();
});

it('the events of the queue come back in their order, and a new beginning keeps the rates alone', () => {
  const machine = newMachine();
  expect(listQueueEvents(machine)).toEqual({ rates: null, events: [] });
  appendQueueEvents(machine, ['1', '2']);
  appendQueueEvents(machine, ['3']);
  expect(listQueueEvents(machine)).toEqual({ rates: null, events: ['1', '2', '3'] });
  expect(countQueueEvents(machine)).toBe(3);
  restartQueueEvents(machine, 'rates');
  appendQueueEvents(machine, ['4']);
  expect(listQueueEvents(machine)).toEqual({ rates: 'rates', events: ['4'] });
});

it('predictions are kept for one tip of the buffer', () => {
  const machine = newMachine();
  const clash = { ours: 'a', theirs: 'b', files: ['x', 'odd\nname'] };
  recordPredictions(machine, 'tip', [clash, { ours: 'a', theirs: 'c', files: [] }]);
  expect(listPredictions(machine, 'tip')).toEqual([clash, { ours: 'a', theirs: 'c', files: [] }]);
  recordPredictions(machine, 'next', [{ ...clash, files: [] }]);
  expect(listPredictions(machine, 'tip')).toEqual([]);
});
