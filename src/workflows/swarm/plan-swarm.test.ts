import { expect, test } from 'vitest';
import { RepoConfig, ServerSettings } from '../../contract/repo-files.ts';
import type { Repo } from '../../contract/repos.ts';
import { type PlanFacts, planSwarm, type Standing } from './plan-swarm.ts';

interface Wish {
  model?: Repo['ownershipModel'];
  config?: Partial<RepoConfig>;
  settings?: Partial<ServerSettings>;
  repo?: Partial<Repo>;
  facts?: Partial<PlanFacts>;
}

function standing(name: string, more: Partial<Standing> = {}): Standing {
  return { name, level: 'write', role: null, karma: 0, isHuman: false, ...more };
}

const owner = standing('ana', { level: 'admin', role: 'owner', isHuman: true });

function plan({ model = 'guild', config = {}, settings = {}, repo = {}, facts = {} }: Wish) {
  const parsed = RepoConfig.parse({ stabilize_command: 'npm test', ...config });
  return planSwarm({
    repo: {
      id: '0190f3c2-7b1e-7c3a-9d52-3f6a1b2c4d5e',
      handle: 'r-1',
      name: 'shop',
      description: '',
      orgId: null,
      status: 'active',
      authority: 'local',
      mergeMode: parsed.merge_mode,
      ownershipModel: model,
      bufferBranch: 'buffer',
      promoteTarget: 'main',
      stage: 'seed',
      config: parsed,
      configSource: 'copy',
      configBlob: null,
      settings: ServerSettings.parse({ ownership_model: model, ...settings }),
      queuePaused: false,
      frozenReason: null,
      createdAt: '2026-01-01T00:00:00.000Z',
      ...repo,
    },
    runner: owner,
    workers: [standing('worker-1'), standing('worker-2')],
    reviewers: [standing('reviewer-1')],
    trustReviewers: false,
    untrusted: [],
    ...facts,
  });
}

const trusted = { trustReviewers: true };
const two = [standing('reviewer-1'), standing('reviewer-2')];

const possible: [string, Wish][] = [
  ['a guild whose reviewers are trusted', { facts: trusted }],
  [
    'a guild whose reviewers are maintainers',
    { facts: { reviewers: [standing('reviewer-1', { level: 'maintain', role: 'maintainer' })] } },
  ],
  ['an open repository, where anyone reviews', { model: 'open' }],
  ['a solo repository without reviewers: its owner judges', { model: 'solo', facts: { reviewers: [] } }],
  ['swarm mode, where nobody is asked', { model: 'solo', config: { merge_mode: 'swarm' } }],
  ['two approvals and two reviewers', { config: { min_reviews: 2 }, facts: { ...trusted, reviewers: two } }],
  ['gated mode, run by an owner', { config: { merge_mode: 'gated' }, facts: trusted }],
  [
    'a runner who may not promote, where green promotes itself',
    { config: { merge_mode: 'swarm', auto_promote_on_green: true }, facts: { runner: standing('bob') } },
  ],
];

test.each(possible)('possible: %s', (_what, wish) => {
  expect(plan(wish)).toMatchObject({ possible: true, missing: [] });
});

const impossible: [string, Wish, RegExp][] = [
  ['a guild whose reviewers are nobody', {}, /--trust-reviewers/],
  [
    'a solo repository, where only its owner decides',
    { model: 'solo', facts: trusted },
    /ownership_model guild/,
  ],
  [
    'fewer reviewers than approvals are needed',
    { config: { min_reviews: 2 }, facts: trusted },
    /--reviewers 2/,
  ],
  ['a person must approve', { settings: { require_human_approval: true }, facts: trusted }, /review next/],
  [
    'trust by somebody who is no owner',
    { facts: { ...trusted, runner: standing('bob', { level: 'maintain', role: 'maintainer' }) } },
    /--as <owner>/,
  ],
  [
    'agents without write access',
    { model: 'open', facts: { workers: [standing('worker-1', { level: 'read' })] } },
    /access grant worker-1 write/,
  ],
  [
    'gated mode, run by somebody who may not merge',
    { config: { merge_mode: 'gated' }, facts: { reviewers: [], runner: standing('bob') } },
    /maintainer add bob/,
  ],
  [
    'a runner who may not promote',
    { config: { merge_mode: 'swarm' }, facts: { runner: standing('bob') } },
    /maintainer add bob/,
  ],
  ['a paused queue', { facts: trusted, repo: { queuePaused: true } }, /queue resume/],
  ['a frozen queue', { facts: trusted, repo: { frozenReason: 'red' } }, /queue unfreeze/],
  ['tests nobody approved here', { facts: { ...trusted, untrusted: ['stabilize_command'] } }, /config trust/],
];

test.each(impossible)('not possible: %s', (_what, wish, fix) => {
  const made = plan(wish);
  expect(made.possible).toBe(false);
  expect(made.missing.map((each) => each.fix).join('\n')).toMatch(fix);
});

test('one command that grants two missing things is named once', () => {
  const made = plan({ config: { merge_mode: 'gated' }, facts: { reviewers: [], runner: standing('bob') } });
  expect(made.missing).toHaveLength(1);
});

test('without reviewers the streams wait for people, except in swarm mode', () => {
  expect(plan({ facts: { reviewers: [] } }).waitsForPeople).toBe(true);
  expect(plan({ config: { merge_mode: 'swarm' }, facts: { reviewers: [] } }).waitsForPeople).toBe(false);
});
