import { parseDocument } from 'yaml';
import * as z from 'zod';
import { nearest } from '../base/nearest.ts';
import { plainLine } from '../base/plain-text.ts';
import { RepoConfig, RepoConfigFile, repoOwnedKeys, serverOwnedKeys } from '../contract/repo-files.ts';

const LARGEST = 256 * 1024;

/** What a config file says; one that cannot be used says why and leaves the settings before it in force. */
export type ParsedConfig =
  | { kind: 'config'; config: RepoConfig; warnings: string[]; named: string[] }
  | { kind: 'unusable'; reason: string };

/**
 * Parses `.gitswarm/config.yml` (or the JSON form). It comes from a repository and is hostile until parsed: size and
 * aliases are bounded, unknown and server-owned keys are ignored with a warning, wrong values make it unusable.
 */
export function parseConfigFile(text: string): ParsedConfig {
  if (text.length > LARGEST) return { kind: 'unusable', reason: `the file is larger than ${LARGEST} bytes` };
  const document = parseDocument(text, { prettyErrors: false });
  const [error] = document.errors;
  if (error) return { kind: 'unusable', reason: `not valid YAML: ${error.message}` };
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 20 }) ?? {};
  } catch (cause) {
    return {
      kind: 'unusable',
      reason: `not valid YAML: ${cause instanceof Error ? cause.message : String(cause)}`,
    };
  }
  if (typeof value !== 'object' || Array.isArray(value) || value === null) {
    return { kind: 'unusable', reason: 'the file must hold a mapping of settings' };
  }
  const warnings: string[] = [];
  const known: Record<string, unknown> = {};
  for (const [key, setting] of Object.entries(value)) {
    if (repoOwnedKeys.includes(key)) known[key] = withoutUnknown(key, setting, warnings);
    else if (serverOwnedKeys.includes(key))
      warnings.push(`${key} is not read from the file: gitswarm config set ${key} …`);
    else warnings.push(unknownKey(key, [...repoOwnedKeys, ...serverOwnedKeys]));
  }
  const parsed = RepoConfigFile.safeParse(known);
  if (!parsed.success) return { kind: 'unusable', reason: z.prettifyError(parsed.error) };
  return { kind: 'config', config: parsed.data, warnings, named: Object.keys(known) };
}

const GROUPS: Record<string, string[]> = {
  workspace: Object.keys(RepoConfig.shape.workspace.unwrap().shape),
  queue: Object.keys(RepoConfig.shape.queue.unwrap().shape),
};

/** A mistyped key within a group costs a warning, not the whole file. */
function withoutUnknown(group: string, setting: unknown, warnings: string[]): unknown {
  const keys = Object.hasOwn(GROUPS, group) ? GROUPS[group] : undefined;
  if (!keys || typeof setting !== 'object' || setting === null || Array.isArray(setting)) return setting;
  const entries = Object.entries(setting);
  for (const [key] of entries) {
    if (keys.includes(key)) continue;
    const names = keys.map((each) => `${group}.${each}`);
    warnings.push(unknownKey(`${group}.${key}`, names));
  }
  return Object.fromEntries(entries.filter(([key]) => keys.includes(key)));
}

function unknownKey(key: string, known: string[]): string {
  const near = nearest(key, known);
  const shown = key.length > 80 ? `${key.slice(0, 80)}…` : key;
  return `unknown setting "${plainLine(shown)}" is ignored${near ? `; did you mean "${near}"?` : ''}`;
}
