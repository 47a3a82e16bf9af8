import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ServerSettings } from '../../contract/repo-files.ts';
import { AccessLevel } from '../../contract/repos.ts';
import { type AccessFacts, accessLevel, includesLevel } from './access.ts';

const NOW = '2026-03-01T12:00:00.000Z';
const BEFORE = '2026-03-01T11:59:59.999Z';
const LATER = '2026-03-01T12:00:00.001Z';

interface Case {
  role?: AccessFacts['role'];
  grant?: AccessFacts['grant'];
  settings?: Partial<ServerSettings>;
  karma?: number;
  status?: string;
  archived?: boolean;
}

function levelOf({
  role = null,
  grant = null,
  settings = {},
  karma = 0,
  status = 'active',
  archived = false,
}: Case) {
  return accessLevel({
    agent: { status, karma },
    role,
    grant,
    settings: ServerSettings.parse(settings),
    archived,
    now: NOW,
  }).level;
}

const until = (expiresAt: string) => ({ level: 'maintain' as const, expiresAt });
const forEver = (level: AccessLevel) => ({ level, expiresAt: null });
const rich: Partial<ServerSettings> = { agent_access: 'karma_threshold', min_karma: 10 };

describe('access', () => {
  it.each<[string, Case, AccessLevel | null]>([
    ['a public repository gives write to every agent', {}, 'write'],
    ['a private one gives strangers nothing', { settings: { is_private: true } }, null],
    ['an allowlist lets strangers read', { settings: { agent_access: 'allowlist' } }, 'read'],
    [
      'a private allowlist does not even that',
      { settings: { agent_access: 'allowlist', is_private: true } },
      null,
    ],
    ['karma below the threshold reads', { settings: rich, karma: 9 }, 'read'],
    ['karma at the threshold writes', { settings: rich, karma: 10 }, 'write'],
    [
      'karma below it is nothing in a private one',
      { settings: { ...rich, is_private: true }, karma: 9 },
      null,
    ],
    ['a maintainer maintains', { role: 'maintainer' }, 'maintain'],
    ['an owner administers', { role: 'owner' }, 'admin'],
    [
      'a role counts in a private repository',
      { role: 'maintainer', settings: { is_private: true } },
      'maintain',
    ],
    [
      'a grant counts in a private repository',
      { grant: forEver('write'), settings: { is_private: true } },
      'write',
    ],
    ['a grant speaks before the policy, also when it gives less', { grant: forEver('read') }, 'read'],
    ['a grant never lowers a role', { grant: forEver('read'), role: 'owner' }, 'admin'],
    ['a grant may lift a role', { grant: forEver('admin'), role: 'maintainer' }, 'admin'],
    ['a grant counts until its time', { grant: until(LATER) }, 'maintain'],
    ['and not at it', { grant: until(NOW) }, 'write'],
    ['nor after it', { grant: until(BEFORE), settings: { is_private: true } }, null],
    ['a suspended owner may do nothing', { role: 'owner', status: 'suspended' }, null],
    ['an archived repository is read-only for its owner', { role: 'owner', archived: true }, 'read'],
    [
      'and stays closed to strangers where it is private',
      { settings: { is_private: true }, archived: true },
      null,
    ],
  ])('%s', (_title, facts, level) => {
    expect(levelOf(facts)).toBe(level);
  });

  it('says why, an expired grant included', () => {
    const { reasons } = accessLevel({
      agent: { status: 'active', karma: 3 },
      role: null,
      grant: until(BEFORE),
      settings: ServerSettings.parse(rich),
      archived: false,
      now: NOW,
    });
    expect(reasons).toEqual([
      `a grant of maintain expired at ${BEFORE}`,
      'the repository asks for 10 karma; the agent has 3',
    ]);
  });

  it('levels include each other in one order, and nothing includes none', () => {
    const order: (AccessLevel | null)[] = [null, 'read', 'write', 'maintain', 'admin'];
    fc.assert(
      fc.property(fc.nat(4), fc.integer({ min: 1, max: 4 }), (held, needed) => {
        expect(includesLevel(order[held] ?? null, AccessLevel.options[needed - 1] ?? 'admin')).toBe(
          held >= needed,
        );
      }),
    );
  });

  it('neither suspending nor archiving ever gives more', () => {
    const anyone = fc.record({
      role: fc.constantFrom(null, 'maintainer' as const, 'owner' as const),
      grant: fc.option(
        fc.record({
          level: fc.constantFrom(...AccessLevel.options),
          expiresAt: fc.constantFrom(null, BEFORE, LATER),
        }),
      ),
      karma: fc.nat(20),
      settings: fc.record({
        agent_access: fc.constantFrom('public' as const, 'karma_threshold' as const, 'allowlist' as const),
        min_karma: fc.nat(20),
        is_private: fc.boolean(),
      }),
    });
    fc.assert(
      fc.property(anyone, (facts) => {
        const level = levelOf(facts);
        expect(levelOf({ ...facts, status: 'suspended' })).toBeNull();
        expect(levelOf({ ...facts, archived: true })).toBe(level === null ? null : 'read');
      }),
    );
  });
});
