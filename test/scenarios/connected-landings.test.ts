import { expect, it } from 'vitest';
import { reviewedMachines, type Told } from '../support/connected.ts';

it.each(['untested', 'tested'])(
  'two machines land at the same moment, %s: both land, and ledger and git agree',
  async (how) => {
    const { one, two, keys, git, remote, server, ready, landings, coder } = await reviewedMachines();
    if (how === 'tested') await one.ask(['config', 'set', 'stabilize_command', 'true']);
    // Each machine approves for itself what it runs.
    if (how === 'tested') await two.ask(['config', 'trust'], { key: keys.olga });
    const first = await ready(one, 'first');
    const second = await ready(two, 'second');
    const ended = await Promise.all([
      one.start(['merge', first.id, '--json'], coder),
      two.start(['merge', second.id, '--json'], coder),
    ]);
    for (const { exit, stdout, stderr } of ended) expect(exit, stdout + stderr).toBe(0);
    const moves = ended.map(({ stdout }): Told => JSON.parse(stdout).data);
    const buffer = git.oid('buffer', remote);
    expect(moves.map((each) => each.bufferAfter)).toContain(buffer);
    expect(landings()).toEqual(['Merge first', 'Merge second', 'begin']);
    for (const { id } of [first, second]) {
      const known = await server.ask(`GET /streams/${id}`, { as: keys.olga });
      expect(known.state).toBe('merged');
      git.gitIn(remote, 'merge-base', '--is-ancestor', known.mergedCommit, buffer);
    }
    for (const machine of [one, two]) {
      await machine.ask(['sync']);
      expect(machine.oid('buffer')).toBe(buffer);
    }
  },
);
