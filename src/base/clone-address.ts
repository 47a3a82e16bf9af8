import { withoutPassword } from './without-password.ts';

/** An address of a clone as it is kept: without a password, and without what is written at its end or not. */
export function bareAddress(url: string): string {
  return withoutPassword(url)
    .replace(/\/+$/, '')
    .replace(/\.git$/, '')
    .replace(/\/+$/, '');
}

/** The ways to write an address that mean one place and differ by nothing but `.git`. */
export function addressForms(url: string): string[] {
  const whole = withoutPassword(url).replace(/\/+$/, '');
  const bare = bareAddress(url);
  return [...new Set([whole, bare, `${bare}.git`])];
}

/** True where two addresses name one place, by whichever way it is reached: https, ssh, or a file. */
export function isSameAddress(one: string, other: string): boolean {
  return placeOf(one) === placeOf(other);
}

function placeOf(url: string): string {
  const bare = bareAddress(url);
  const [, scheme, host = '', path = ''] = /^([a-z][a-z0-9+.-]*):\/\/([^/]*)(.*)$/i.exec(bare) ?? [];
  if (scheme?.toLowerCase() === 'file') return path;
  if (scheme !== undefined) return `${host.toLowerCase().replace(/:(22|80|443|9418)$/, '')}${path}`;
  // What ssh calls `user@host:path`.
  const [, , name, there = ''] = /^([^/@]*@)?([^/:@]+):(.*)$/.exec(bare) ?? [];
  return name === undefined ? bare : `${name.toLowerCase()}/${there.replace(/^\/+/, '')}`;
}
