import { expect, test } from 'vitest';
import { plainRun } from '../../test/support/process-fixture.ts';
import { adapterNames, createAdapter } from './registry.ts';

test('each adapter is found by its name', () => {
  const settings = { run: plainRun, command: 'true', scriptFor: () => ({ steps: [] }) };
  for (const name of adapterNames) expect(createAdapter(name, settings).name).toBe(name);
});

test('a name nobody has is refused, naming the known ones', () => {
  for (const name of ['other', 'toString', '__proto__']) {
    const make = () => createAdapter(name, { run: plainRun });
    expect(make).toThrow(
      expect.objectContaining({ code: 'not_found', fix: 'use one of: command, scripted' }),
    );
  }
});

test('an adapter without what it needs says so', () => {
  const make = () => createAdapter('command', { run: plainRun });
  expect(make).toThrow(expect.objectContaining({ code: 'not_configured' }));
});
