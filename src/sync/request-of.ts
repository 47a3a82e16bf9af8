import type { Endpoint } from '../contract/endpoint.ts';
import { SwarmError } from '../contract/errors.ts';

/** An endpoint's call as a request: what its path names goes there, the rest into the query or the body. */
export function requestOf(
  endpoint: Pick<Endpoint, 'method' | 'path'>,
  input: Record<string, unknown>,
): { method: string; path: string; body?: Record<string, unknown> } {
  const rest = new Map(Object.entries(input).filter(([, value]) => value !== undefined));
  const path = endpoint.path.replace(/:(\w+)/g, (_, name: string) => {
    const value = rest.get(name);
    rest.delete(name);
    return pathPart(name, String(value));
  });
  const { method } = endpoint;
  if (method !== 'GET') return { method, path, body: Object.fromEntries(rest) };
  const query = new URLSearchParams();
  for (const [name, value] of rest)
    for (const each of Array.isArray(value) ? value : [value])
      if (each !== null) query.append(name, String(each));
  const text = query.toString();
  return { method, path: text === '' ? path : `${path}?${text}` };
}

/** Addresses are shortened by `.` and `..`, however they are written: another thing would be asked for. */
function pathPart(name: string, value: string): string {
  if (value !== '' && value !== '.' && value !== '..') return encodeURIComponent(value);
  throw new SwarmError('invalid', `"${value}" names no ${name}.`);
}
