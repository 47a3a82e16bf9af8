import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { endpoint } from '../contract/endpoint.ts';
import { grantAccess, setConfig } from '../contract/repos.ts';
import { createTask, listTasks } from '../contract/tasks.ts';
import { canonicalUrl } from './aliases.ts';
import { fromQuery, shapeOf, withOurNames } from './input-shape.ts';

const ours = (value: object, of = createTask) => withOurNames(value, shapeOf(of));

describe('names of an input', () => {
  it('may be in either case, or with the word Id after them', () => {
    expect(ours({ depends_on: ['x'], expires_at: 'y' })).toEqual({ dependsOn: ['x'], expiresAt: 'y' });
    expect(withOurNames({ agent_id: 'x', agentId: 'y' }, shapeOf(grantAccess))).toEqual({ agent: 'y' });
    expect(withOurNames({ agent: 'x', agent_id: 'y' }, shapeOf(grantAccess))).toEqual({ agent: 'x' });
  });

  it('stay as they are where they are content', () => {
    const changes = { merge_mode: 'swarm', mergeMode: 'x' };
    expect(withOurNames({ changes }, shapeOf(setConfig))).toEqual({ changes });
  });

  it('are found in lists and in what they refer to', () => {
    const Part: z.ZodType = z.object({
      someName: z.string(),
      get parts() {
        return z.array(Part).optional();
      },
    });
    const shape = shapeOf(
      endpoint('x', () => ({
        method: 'POST',
        path: '/x',
        input: z.object({ theParts: z.array(Part) }),
        output: z.any(),
      })),
    );
    const given = { the_parts: [{ some_name: 'a', parts: [{ some_name: 'b' }] }] };
    expect(withOurNames(given, shape)).toEqual({ theParts: [{ someName: 'a', parts: [{ someName: 'b' }] }] });
  });

  it('reach no prototype', () => {
    const value = withOurNames(
      JSON.parse('{"__proto__":{"polluted":1},"constructor":1}'),
      shapeOf(createTask),
    );
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    expect(Object.keys(value as object).sort()).toEqual(['__proto__', 'constructor']);
  });
});

it('a query has the types its names ask for; what does not fit stays text', () => {
  const typed = (query: Record<string, unknown>) => fromQuery(query, shapeOf(listTasks));
  expect(typed({ limit: '20', ready: 'true', label: '7' })).toEqual({ limit: 20, ready: true, label: '7' });
  expect(typed({ limit: '1e3', ready: 'yes' })).toEqual({ limit: '1e3', ready: 'yes' });
});

it.each([
  ['GET', '/api/v1/repos?x=1', '/api/v1/repos?x=1'],
  ['GET', '/api/repos', '/api/v1/repos'],
  ['GET', '/gitswarm/repos', '/api/v1/repos'],
  ['GET', '/api/v1/gitswarm/repos', '/api/v1/repos'],
  ['POST', '/api/v1/proposals/p/votes', '/api/v1/proposals/p/vote'],
  ['POST', '/api/v1/repos/r/council/proposals/p/votes', '/api/v1/proposals/p/vote'],
  ['POST', '/api/v1/tasks/t/submit', '/api/v1/claims/t/submit'],
  ['POST', '/api/repos/r/stage', '/api/v1/repos/r/stage/advance'],
  ['GET', '/api/repos/r/stage', '/api/v1/repos/r/stage'],
  ['GET', '/health', '/health'],
  ['GET', '/api/docs', '/api/v1/docs'],
  ['POST', '/webhooks/github', '/api/v1/webhooks/github'],
])('%s %s is %s', (method, url, canonical) => expect(canonicalUrl(method, url)).toBe(canonical));
