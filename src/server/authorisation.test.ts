import { beforeAll, describe, expect, it } from 'vitest';
import { forEachDatabase } from '../../test/support/databases.ts';
import {
  ALLOWED,
  CALLERS,
  CASES,
  type Seeded,
  seed,
  withoutTrace,
} from '../../test/support/permission-cases.ts';
import { type ServerForTests, startOn } from '../../test/support/server.ts';
import { type ErrorCode, httpStatusOf } from '../contract/errors.ts';
import type { Database } from '../db/database.ts';
import { hashApiKey } from '../domain/agents/api-keys.ts';
import { operations } from '../operations/index.ts';
import type { Operation } from '../operations/operation.ts';

const KNOCKING = ['none', 'wrong key', ...CALLERS.filter((caller) => caller !== 'nobody'), 'admin'] as const;
type Knocking = (typeof KNOCKING)[number];

/** Where a server asks for more than a repository on the own disk: agents are looked after by the server's admin. */
const AT_A_SERVER: Record<string, Knocking[]> = {
  'agent.register': ['admin'],
  'agent.update': ['writer', 'admin'],
  'agent.suspend': ['writer', 'admin'],
  'agent.resume': ['writer', 'admin'],
  'agent.rotate_key': ['writer', 'admin'],
  'key.create': ['writer', 'admin'],
  'key.revoke': ['writer', 'admin'],
  'promotion.record': ['maintainer', 'owner'],
  // Whoever looks first says what git holds; here only somebody who can be believed does.
  'stream.record_head': ['author', 'maintainer', 'owner'],
  'stream.record_head as a commit': ['author'],
  'stream.mark_conflicted': ['author', 'maintainer', 'owner'],
  'invite.create': ['admin'],
  'invite.revoke': ['admin'],
  'org.set': ['writer'],
  // Nobody can check what a client says of a decision: whoever may only read says nothing.
  'proposal.begin': ['writer', 'author', 'maintainer', 'owner'],
};

const CODES: Record<string, ErrorCode> = { 'invite.revoke': 'not_found' };

const keyOf = (caller: Knocking) => `gsw_the-key-of-${caller.padEnd(10, '-')}`;

const routes = operations.filter((each) => each.kind === 'write' && each.endpoint.internal !== true);

const rows = routes.flatMap((operation) =>
  (CASES[operation.endpoint.name] ?? []).map((each) => ({
    what: `${operation.endpoint.method} ${operation.endpoint.path} ${each.because ?? ''}`.trim(),
    operation,
    ...each,
  })),
);

it('has a row for each route that writes', () => {
  expect(new Set(rows.map((row) => row.operation))).toEqual(new Set(routes));
});

function expectedStatus(
  operation: Operation,
  caller: Knocking,
  allowed: readonly Knocking[],
  code: string,
): number {
  if (caller === 'none' || caller === 'wrong key') return 401;
  if (allowed.includes(caller)) return code === 'allowed' ? 200 : httpStatusOf(code as ErrorCode);
  const isHidden = operation.on !== 'none' && (caller === 'stranger' || caller === 'admin');
  return isHidden ? 404 : 403;
}

forEachDatabase((_kind, makeDatabase) => {
  let server: ServerForTests;
  let seeded: Seeded;
  let database: Database;
  beforeAll(async () => {
    database = await makeDatabase();
    seeded = await seed(database);
    for (const caller of CALLERS) {
      const id = seeded.idOf(caller);
      const change = { api_key_hash: hashApiKey(keyOf(caller as Knocking)) };
      if (id)
        await database.write((tx) => tx.updateTable('agent').set(change).where('id', '=', id).execute());
    }
    server = await startOn(database, withoutTrace(database), {
      clock: seeded.clock,
      adminToken: keyOf('admin'),
    });
    return () => server.stop();
  });

  describe.each(rows)('$what', ({ operation, input, only, because, code = 'allowed' }) => {
    const { name, method, path } = operation.endpoint;
    const own = (only ?? ALLOWED[operation.needs]).filter((each) => ALLOWED[operation.needs].includes(each));
    const everyone: Knocking[] = ['stranger', 'reader', 'writer', 'author', 'maintainer', 'owner'];
    const all: Knocking[] = [...everyone, 'admin'];
    const member = operation.on === 'none' ? all : [];
    const allowed: readonly Knocking[] =
      AT_A_SERVER[`${name} ${because}`] ??
      AT_A_SERVER[name] ??
      (member.length > 0 ? member : (own as Knocking[]));

    it(`is for ${allowed.join(', ')}`, async () => {
      const answers: Record<string, number> = {};
      for (const caller of KNOCKING) {
        const asked: Record<string, unknown> = { repoId: seeded.repoId, ...input(seeded) };
        const address = path.replace(/:(\w+)/g, (_, key: string) => encodeURIComponent(String(asked[key])));
        const as = caller === 'none' ? undefined : keyOf(caller);
        const reply = await server.request(`${method} ${address}`, { as, body: asked });
        answers[caller] = reply.status === 201 ? 200 : reply.status;
      }
      const outcome = CODES[name] ?? code;
      const expected = KNOCKING.map((each) => [each, expectedStatus(operation, each, allowed, outcome)]);
      expect(answers).toEqual(Object.fromEntries(expected));
    });
  });
});
