import { expect, test } from 'vitest';
import { limitArguments } from './command-limits.ts';

const none = Number.POSITIVE_INFINITY;

test('limits never ask for more than this process may have itself', () => {
  const hard = { processes: 1000, fileBytes: none, memoryBytes: 4096 };
  expect(limitArguments({}, hard)).toEqual(['--core=0', '--nproc=1000', '--fsize=8589934592']);
  const asked = { processes: 50, fileBytes: 10, memoryBytes: 9000 };
  expect(limitArguments(asked, hard)).toEqual(['--core=0', '--nproc=50', '--fsize=10', '--as=4096']);
});
