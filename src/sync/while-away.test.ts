import { describe, expect, it } from 'vitest';
import { endpoints } from '../contract/api.ts';
import { publicEndpoints } from '../server/routes.ts';
import { meaningOf } from '../server/sync-types.ts';
import { isRemembered } from './remembered.ts';
import { isKept, keptOperations } from './while-away.ts';

describe('what is kept while the server is away', () => {
  it.each(keptOperations)('%s is a write that a batch can hold', (name) => {
    const endpoint = endpoints.find((each) => each.name === name);
    expect(endpoint).toMatchObject({ name, isRead: false });
    expect(endpoint?.internal).not.toBe(true);
    const meant = meaningOf({ type: name, data: { a: 1 } }, publicEndpoints());
    expect(meant).toEqual({ endpoint: expect.objectContaining({ name }), data: { a: 1 } });
  });

  it('nothing is kept twice, and no question is', () => {
    expect(new Set(keptOperations).size).toBe(keptOperations.length);
    expect(endpoints.filter((each) => each.isRead && isKept(each))).toEqual([]);
  });

  it('nothing whose answer holds a secret is kept', () => {
    const secret = /apiKey|secret|token|password|invite|adminKey/i;
    const tellers = endpoints.filter((each) => !each.isRead && secret.test(namesIn(each.output).join(' ')));
    expect(tellers.map(({ name }) => name)).toContain('agent.register');
    expect(tellers.map(({ name }) => name)).toContain('key.create');
    expect(tellers.filter(isKept).map(({ name }) => name)).toEqual([]);
  });

  it('no permit is kept: it would be one for later', () => {
    for (const name of ['merge.prepare', 'queue.next', 'task.next', 'agent.register', 'key.create'])
      expect({ name, kept: isKept({ name }) }).toEqual({ name, kept: false });
  });

  it('only questions are remembered, and none about what may be done', () => {
    const remembered = endpoints.filter(isRemembered);
    expect(remembered.filter((each) => !each.isRead)).toEqual([]);
    for (const name of ['review.check', 'queue.list', 'merge.list', 'plan.check'])
      expect({ name, remembered: isRemembered({ name }) }).toEqual({ name, remembered: false });
  });
});

/** The names of everything in an answer. */
function namesIn(schema: unknown, depth = 0): string[] {
  if (depth > 6 || typeof schema !== 'object' || schema === null || !('def' in schema)) return [];
  const { shape, innerType, element, options, in: input } = schema.def as Record<string, unknown>;
  const fields = Object.entries((shape as Record<string, unknown> | undefined) ?? {});
  const inner = [...fields.map(([, each]) => each), innerType, element, input];
  const variants = Array.isArray(options) ? options : [];
  return [
    ...fields.map(([name]) => name),
    ...[...inner, ...variants].flatMap((each) => namesIn(each, depth + 1)),
  ];
}
