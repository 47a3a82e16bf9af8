import { SwarmError } from '../contract/errors.ts';
import { parseDuration } from '../contract/repo-files.ts';
import type { Options } from './command.ts';

/** Typed reading of what commander parsed. Names are commander's camelCase ones. */

export function textOption(options: Options, name: string): string | undefined {
  const value = options[name];
  return typeof value === 'string' ? value : undefined;
}

export function flagOption(options: Options, name: string): boolean {
  return options[name] === true;
}

export function listOption(options: Options, name: string): string[] {
  const value = options[name];
  if (Array.isArray(value)) return value;
  return typeof value === 'string' ? [value] : [];
}

/** A whole number; anything else is a usage error naming the flag. */
export function numberOption(options: Options, name: string): number | undefined {
  const text = textOption(options, name);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (Number.isInteger(value)) return value;
  throw new SwarmError('usage', `--${dashed(name)} wants a whole number, not "${text}".`);
}

/** Milliseconds, from seconds or `10m`, `2h`, `7d`. */
export function durationOption(options: Options, name: string): number | undefined {
  const text = textOption(options, name);
  if (text === undefined) return undefined;
  const value = parseDuration(text);
  if (value !== undefined) return value;
  throw new SwarmError(
    'usage',
    `--${dashed(name)} wants seconds or a time such as 10m, 2h or 7d, not "${text}".`,
  );
}

function dashed(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
