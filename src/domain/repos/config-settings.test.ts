import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaultConfig } from '../../../test/support/default-config.ts';
import { RepoConfig, RepoConfigFile, ServerSettings } from '../../contract/repo-files.ts';
import { changeSettings, settingOwners, settingValue } from './config-settings.ts';

const current = { config: defaultConfig, settings: ServerSettings.parse({}) };

function set(key: string, value: unknown): unknown {
  return settingValue(changeSettings(current, { [key]: value }), key);
}

describe('a typed word becomes what the setting can hold', () => {
  it.each<[string, unknown, unknown]>([
    ['merge_mode', 'swarm', 'swarm'],
    ['auto_promote_on_green', 'true', true],
    ['consensus_threshold', '0.8', 0.8],
    ['min_reviews', '3', 3],
    ['min_reviews', 3, 3],
    ['test_before_merge', 'null', null],
    ['test_before_merge', 'false', false],
    ['stabilize_command', 'npm test', 'npm test'],
    ['stabilize_command', 'true', 'true'],
    ['stabilize_command', 'null', null],
    ['stabilize_timeout', '90', 90_000],
    ['stabilize_timeout', '10m', 600_000],
    ['stabilize_timeout', 90_000, 90_000],
    ['workspace.setup', 'npm ci', 'npm ci'],
    ['workspace.copy', '[".env"]', ['.env']],
    ['queue.runners', '4', 4],
    ['min_karma', '10', 10],
    ['is_private', 'true', true],
  ])('%s = %j is kept as %j', (key, typed, kept) => {
    expect(set(key, typed)).toEqual(kept);
  });

  it.each([
    ['min_reviews', '0'],
    ['min_reviews', ''],
    ['min_reviews', 'many'],
    ['merge_mode', 'chaos'],
    ['consensus_threshold', 'null'],
    ['buffer_branch', '-x'],
    ['queue.runners', '1000'],
  ])('%s = %j is refused', (key, typed) => {
    expect(() => set(key, typed)).toThrow(expect.objectContaining({ code: 'invalid' }));
  });
});

it('keeps each setting where its owner is: in the repository, or at the authority', () => {
  expect(settingOwners()).toMatchObject({
    merge_mode: 'repo',
    buffer_branch: 'repo',
    promote_target: 'repo',
    auto_promote_on_green: 'repo',
    auto_revert_on_red: 'repo',
    stabilize_command: 'repo',
    stabilize_timeout: 'repo',
    test_before_merge: 'repo',
    consensus_threshold: 'repo',
    min_reviews: 'repo',
    human_review_weight: 'repo',
    independent_reviews: 'repo',
    branch_rules: 'repo',
    'workspace.setup': 'repo',
    'workspace.copy': 'repo',
    'workspace.path': 'repo',
    'queue.runners': 'repo',
    'queue.timeout': 'repo',
    'queue.lanes': 'repo',
    agent_access: 'server',
    min_karma: 'server',
    is_private: 'server',
    ownership_model: 'server',
    plugins_enabled: 'server',
    require_human_approval: 'server',
    human_can_force_merge: 'server',
  });
});

it('names the nearest setting where there is none of that name', () => {
  expect(() => set('merge_mod', 'swarm')).toThrow(/did you mean "merge_mode"/);
  expect(() => set('queue.runner', 1)).toThrow(/did you mean "queue.runners"/);
  expect(() => set('constructor', 1)).toThrow(expect.objectContaining({ code: 'usage' }));
  expect(() => set('stage', 'mature')).toThrow(/not set but reached/);
});

it('changes one value of a group and leaves the others', () => {
  const { config } = changeSettings(current, { queue: { runners: 5 } });
  expect(config.queue).toEqual({ ...defaultConfig.queue, runners: 5 });
});

it('refuses one branch for buffer and target', () => {
  expect(() => set('buffer_branch', 'main')).toThrow(/both the buffer and the target/);
});

it('says what has changed and what it was, and nothing of what has not', () => {
  const { changed } = changeSettings(current, { min_reviews: '2', merge_mode: 'review', min_karma: 5 });
  expect(changed).toEqual([
    { key: 'min_reviews', owner: 'repo', before: 1, after: 2 },
    { key: 'min_karma', owner: 'server', before: 0, after: 5 },
  ]);
});

it('keeps settings as they are when they are stored and read again', () => {
  const key = fc.constantFrom(...Object.keys(settingOwners()));
  fc.assert(
    fc.property(key, (name) => {
      expect(changeSettings(current, { [name]: settingValue(current, name) }).changed).toEqual([]);
    }),
  );
  expect(RepoConfig.parse(JSON.parse(JSON.stringify(defaultConfig)))).toEqual(defaultConfig);
});

it('reads a bare number in the file as seconds', () => {
  expect(RepoConfigFile.parse({ stabilize_timeout: 90, queue: { timeout: '2h' } })).toMatchObject({
    stabilize_timeout: 90_000,
    queue: { timeout: 7_200_000, runners: 2 },
  });
  expect(RepoConfigFile.parse({})).toEqual(defaultConfig);
});
