import { expect, test } from 'vitest';
import { endpoints } from '../contract/api.ts';
import { operations } from './index.ts';
import { findOperation } from './registry.ts';

test('every operation is found under its name, and every endpoint has one', async () => {
  const names = operations.map((operation) => operation.endpoint.name);
  expect([...names].sort()).toEqual(endpoints.map((endpoint) => endpoint.name).sort());
  for (const operation of operations) expect(await findOperation(operation.endpoint.name)).toBe(operation);
});

test('a name that nobody has is no operation', async () => {
  for (const name of ['', 'stream', 'stream.fly', 'nothing.show', 'constructor.x'])
    expect(await findOperation(name)).toBeUndefined();
});

test('an endpoint says of itself that it is a read where its operation changes nothing', () => {
  for (const { endpoint, kind } of operations)
    expect([endpoint.name, endpoint.isRead]).toEqual([endpoint.name, kind === 'read']);
});
