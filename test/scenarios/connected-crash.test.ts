import { expect, it } from 'vitest';
import { reviewedMachines, type Told } from '../support/connected.ts';

it.each(['merge.prepared', 'merge.shared', 'merge.moved'])(
  'a landing that died at %s is settled from the other machine, once',
  async (step) => {
    const { one, two, keys, git, remote, coder, server, ready, landings } = await reviewedMachines();
    await one.ask(['config', 'set', 'test_before_merge', 'false']);
    const work = await ready(one, 'work');
    await one.crash(['merge', work.id], step, coder);
    await two.ask(['status']);
    // Whether it had reached the remote decides: then it is recorded, else it lands when it is asked for again.
    const { state } = await server.ask(`GET /streams/${work.id}`, { as: keys.olga });
    if (state !== 'merged') await one.ask(['merge', work.id], coder);
    const known = await server.ask(`GET /streams/${work.id}`, { as: keys.olga });
    expect(known).toMatchObject({ state: 'merged', mergedCommit: git.oid('buffer', remote) });
    for (const machine of [one, two]) {
      await machine.ask(['sync']);
      expect(machine.oid('buffer')).toBe(known.mergedCommit);
      expect(
        (await machine.ask(['doctor'])).findings.filter((each: Told) => each.level === 'problem'),
      ).toEqual([]);
    }
    expect(landings()).toEqual(['Merge work', 'begin']);
  },
);
