import * as z from 'zod';
import { nearest } from '../../base/nearest.ts';
import { SwarmError } from '../../contract/errors.ts';
import { RepoConfig, ServerSettings } from '../../contract/repo-files.ts';

/** Who keeps a setting: the file in the repository, or the authority's database. */
export type SettingOwner = 'repo' | 'server';

export interface SettingChange {
  key: string;
  owner: SettingOwner;
  before: unknown;
  after: unknown;
}

export interface Settings {
  config: RepoConfig;
  settings: ServerSettings;
}

/** Settings with some of them changed, and what was really changed. Throws usage or invalid. */
export function changeSettings(
  current: Settings,
  changes: Record<string, unknown>,
): Settings & { changed: SettingChange[] } {
  let config: Tree = current.config;
  let settings: Tree = current.settings;
  const changed: SettingChange[] = [];
  for (const [key, value] of Object.entries(flatten(changes))) {
    const { owner, schema } = settingOf(key);
    const after = parseSetting(key, schema, value);
    const before = valueAt(owner === 'repo' ? config : settings, key);
    if (JSON.stringify(before) === JSON.stringify(after)) continue;
    changed.push({ key, owner, before, after });
    if (owner === 'repo') config = withValue(config, key, after);
    else settings = withValue(settings, key, after);
  }
  const parsed = { config: RepoConfig.parse(config), settings: ServerSettings.parse(settings) };
  refuseOneBranch(parsed.config);
  return { ...parsed, changed };
}

/** The value of a setting by its dotted key. */
export function settingValue({ config, settings }: Settings, key: string): unknown {
  return valueAt(settingOf(key).owner === 'repo' ? config : settings, key);
}

/** Landing on the branch that is promoted to would promote everything untested. */
export function refuseOneBranch(config: RepoConfig): void {
  if (config.buffer_branch !== config.promote_target) return;
  throw new SwarmError('invalid', `"${config.buffer_branch}" cannot be both the buffer and the target.`);
}

/** Every setting by its dotted key, with who keeps it. */
export function settingOwners(): Record<string, SettingOwner> {
  return Object.fromEntries(Object.entries(SETTINGS).map(([key, setting]) => [key, setting.owner]));
}

type Tree = Record<string, unknown>;
type Setting = { owner: SettingOwner; schema: z.ZodType };

const GROUPS = ['workspace', 'queue'] as const;

const SETTINGS: Record<string, Setting> = {
  ...leaves('', RepoConfig.omit({ workspace: true, queue: true }).shape, 'repo'),
  ...leaves('workspace.', RepoConfig.shape.workspace.unwrap().shape, 'repo'),
  ...leaves('queue.', RepoConfig.shape.queue.unwrap().shape, 'repo'),
  ...leaves('', ServerSettings.shape, 'server'),
};

function leaves(
  prefix: string,
  shape: Record<string, z.ZodType>,
  owner: SettingOwner,
): Record<string, Setting> {
  return Object.fromEntries(
    Object.entries(shape).map(([key, schema]) => [`${prefix}${key}`, { owner, schema }]),
  );
}

function settingOf(key: string): Setting {
  const setting = Object.hasOwn(SETTINGS, key) ? SETTINGS[key] : undefined;
  if (setting) return setting;
  if (key === 'stage') {
    throw new SwarmError('usage', 'The stage is not set but reached.', { fix: 'gitswarm stage advance' });
  }
  const near = nearest(key, Object.keys(SETTINGS));
  throw new SwarmError('usage', `There is no setting "${key}"${near ? `; did you mean "${near}"?` : '.'}`, {
    fix: 'gitswarm config list',
    details: { key, nearest: near ?? null },
  });
}

/** `{queue: {runners: 3}}` is the same as `{'queue.runners': 3}`. */
function flatten(changes: Tree): Tree {
  const flat: Tree = {};
  for (const [key, value] of Object.entries(changes)) {
    const inner = GROUPS.some((group) => group === key)
      ? z.record(z.string(), z.unknown()).safeParse(value)
      : undefined;
    if (!inner?.success) flat[key] = value;
    else for (const [name, part] of Object.entries(inner.data)) flat[`${key}.${name}`] = part;
  }
  return flat;
}

/**
 * A value as it is given in JSON, or as a word typed on a command line: `null` where null is possible, else the text
 * itself where text is possible, else what the text says as JSON (true, 0.8, ["a"]).
 */
function parseSetting(key: string, schema: z.ZodType, value: unknown): unknown {
  for (const reading of readings(value)) {
    const result = schema.safeParse(reading);
    if (result.success) return result.data;
  }
  const { error } = schema.safeParse(value);
  const why = error?.issues.map((issue) => issue.message).join('; ') ?? 'it does not fit';
  throw new SwarmError('invalid', `${JSON.stringify(value)} is no value for ${key}: ${why}.`, {
    fix: `gitswarm config explain ${key}`,
    details: { key },
  });
}

function readings(value: unknown): unknown[] {
  if (value === undefined) return [null];
  if (typeof value !== 'string') return [value];
  if (value.trim() === 'null') return [null, value];
  return [value, asJson(value)];
}

function asJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

function valueAt(tree: Tree, key: string): unknown {
  const [first = '', second] = key.split('.');
  return second === undefined ? tree[first] : asTree(tree[first])[second];
}

function withValue(tree: Tree, key: string, value: unknown): Tree {
  const [first = '', second] = key.split('.');
  return { ...tree, [first]: second === undefined ? value : { ...asTree(tree[first]), [second]: value } };
}

function asTree(value: unknown): Tree {
  return z.record(z.string(), z.unknown()).parse(value);
}
