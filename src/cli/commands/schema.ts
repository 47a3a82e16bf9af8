import * as z from 'zod';
import { nearest } from '../../base/nearest.ts';
import { endpoints } from '../../contract/api.ts';
import { SwarmError } from '../../contract/errors.ts';
import { RepoConfigFile } from '../../contract/repo-files.ts';
import type { Command } from '../command.ts';

const schema: Command = {
  name: 'schema',
  summary: 'JSON Schemas: of an operation (task.create), or of the settings file (config).',
  args: '[name]',
  actor: 'nobody',
  async run(_session, [name]) {
    const names = ['config', ...endpoints.map((each) => each.name)];
    if (name === undefined)
      return { data: names, text: () => names.join('\n'), next: 'gitswarm schema task.create' };
    const found = schemaOf(name);
    if (!found) {
      const near = nearest(name, names);
      throw new SwarmError(
        'not_found',
        `There is no schema "${name}".${near ? ` Did you mean "${near}"?` : ''}`,
        { fix: 'gitswarm schema' },
      );
    }
    return { data: found, text: () => JSON.stringify(found, null, 2) };
  },
};

function schemaOf(name: string): object | undefined {
  if (name === 'config') return z.toJSONSchema(RepoConfigFile, { io: 'input', unrepresentable: 'any' });
  const endpoint = endpoints.find((each) => each.name === name);
  if (!endpoint) return undefined;
  return {
    name,
    method: endpoint.method,
    path: endpoint.path,
    input: z.toJSONSchema(endpoint.input, { io: 'input', unrepresentable: 'any' }),
    output: z.toJSONSchema(endpoint.output, { io: 'output', unrepresentable: 'any' }),
  };
}

export const commands = [schema];
