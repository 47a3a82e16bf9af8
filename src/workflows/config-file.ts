import { parseDocument } from 'yaml';
import * as z from 'zod';
import { type RepoConfig, RepoConfigFile, repoOwnedKeys, serverOwnedKeys } from '../contract/repo-files.ts';

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
    if (repoOwnedKeys.includes(key)) known[key] = setting;
    else if (serverOwnedKeys.includes(key))
      warnings.push(`${key} is not read from the file: gitswarm config set ${key} …`);
    else warnings.push(`unknown setting "${key}" is ignored`);
  }
  const parsed = RepoConfigFile.safeParse(known);
  if (!parsed.success) return { kind: 'unusable', reason: z.prettifyError(parsed.error) };
  return { kind: 'config', config: parsed.data, warnings, named: Object.keys(known) };
}
