import { describe, expect, it } from 'vitest';
import { StreamState } from '../../contract/streams.ts';
import { type GateFacts, refuseMerge } from './merge-gate.ts';

const reached = { reached: true, state: 'reached' as const, reasons: ['all agree'] };
const waiting = { reached: false, state: 'waiting' as const, reasons: ['0 of 1 approvals that count'] };

/** A stream that may land. */
const approved: GateFacts = {
  handle: 's-1',
  state: 'approved',
  mode: 'review',
  commitCount: 1,
  consensus: reached,
  touchesSettings: false,
  parent: null,
  maintainersOnly: false,
  callerIsMaintainer: false,
  callerName: 'coder',
  lacksTests: false,
  forced: false,
};
const refusal = (changes: Partial<GateFacts>) => refuseMerge({ ...approved, ...changes });

describe('the gate before a landing', () => {
  it('is open to a stream with consensus', () => {
    expect(refuseMerge(approved)).toBeNull();
  });

  it.each<[string, Partial<GateFacts>, string | null]>([
    ['a landed stream', { state: 'merged' }, 'conflict'],
    ['a stream without commits', { commitCount: 0 }, 'gate_not_met'],
    ['a child before its parent', { parent: { handle: 's-0', is: 'open' } }, 'gate_not_met'],
    ['a child of a stream that is gone', { parent: { handle: 's-0', is: 'gone' } }, 'gate_not_met'],
    ['a child after its parent', { parent: { handle: 's-0', is: 'landed' } }, null],
    ['what must be tested where nothing tests', { lacksTests: true }, 'gate_not_met'],
    ['even by force', { lacksTests: true, forced: true }, 'gate_not_met'],
    ['a stream without consensus', { consensus: waiting }, 'gate_not_met'],
    ['an unreviewed one in swarm mode', { consensus: waiting, mode: 'swarm', state: 'active' }, null],
    ['settings in swarm mode', { consensus: waiting, mode: 'swarm', touchesSettings: true }, 'gate_not_met'],
    ['settings in swarm mode, agreed to', { mode: 'swarm', touchesSettings: true }, null],
    ['one that is none, where maintainers land', { maintainersOnly: true }, 'not_allowed'],
    ['a maintainer where maintainers land', { maintainersOnly: true, callerIsMaintainer: true }, null],
    ['a forced stream without consensus', { consensus: waiting, forced: true }, null],
    ['a forced one without commits', { commitCount: 0, forced: true }, 'gate_not_met'],
    [
      'a forced child before its parent',
      { parent: { handle: 's-0', is: 'open' }, forced: true },
      'gate_not_met',
    ],
    ['a forced landed one', { state: 'merged', forced: true }, 'conflict'],
  ])('%s', (_title, changes, code) => {
    expect(refusal(changes)?.code ?? null).toBe(code);
  });

  it.each(StreamState.options)('a force or swarm mode never opens it to what cannot land: %s', (state) => {
    const closed = ['conflicted', 'paused', 'merged', 'abandoned'].includes(state);
    for (const changes of [{ forced: true }, { mode: 'swarm' as const }, {}]) {
      expect(refusal({ state, ...changes }) !== null).toBe(closed);
    }
  });

  it('names the ways out where nobody could decide', () => {
    const alone = { reached: false, state: 'no_eligible_reviewers' as const, reasons: ['nobody'] };
    expect(refusal({ consensus: alone })?.fix?.split('  or  ')).toEqual([
      'gitswarm repo maintainer add <agent>',
      'gitswarm config set ownership_model solo',
      'gitswarm merge s-1 --force --reason "…" (owners)',
    ]);
  });

  it('names the next step otherwise', () => {
    expect(refusal({ consensus: waiting, state: 'active' })?.fix).toBe('gitswarm review submit s-1');
    expect(refusal({ consensus: waiting, state: 'in_review' })?.fix).toBe('gitswarm review check s-1');
    expect(refusal({ parent: { handle: 's-0', is: 'gone' } })?.fix).toBe(
      'gitswarm stream rebase s-1 --onto buffer',
    );
  });
});
