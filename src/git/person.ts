import { SwarmError } from '../contract/errors.ts';

/** A name and an address, as git keeps them. */
export interface Person {
  name: string;
  email: string;
}

/** A person at a time: seconds since the epoch and the zone as `+0100`. */
export interface Signature extends Person {
  seconds: number;
  zone: string;
}

/** The signature of a person at a moment in milliseconds since the epoch. */
export function signatureAt(person: Person, milliseconds: number, zone = '+0000'): Signature {
  return { name: person.name, email: person.email, seconds: Math.floor(milliseconds / 1000), zone };
}

/** `Name <address> 1700000000 +0000`. Characters that git does not keep in a name or address are left out. */
export function formatSignature(signature: Signature): string {
  const name = clean(signature.name);
  const email = clean(signature.email);
  if (name === '') {
    throw new SwarmError('invalid', `"${signature.name}" cannot be the name of an author`, {
      fix: 'git config user.name "Your Name"',
    });
  }
  if (!Number.isSafeInteger(signature.seconds) || !/^[+-]\d{4}$/.test(signature.zone)) {
    throw new SwarmError('invalid', `"${signature.seconds} ${signature.zone}" is not a time git can keep`);
  }
  return `${name} <${email}> ${signature.seconds} ${signature.zone}`;
}

/** Reads what formatSignature writes, and what other tools wrote less carefully. */
export function parseSignature(text: string): Signature {
  const match = /^(.*?) ?<([^>]*)>(?: (-?\d+) ([+-]\d+))?/s.exec(text);
  return {
    name: match?.[1] ?? text,
    email: match?.[2] ?? '',
    seconds: Number(match?.[3] ?? 0),
    zone: match?.[4] ?? '+0000',
  };
}

/** The author of an agent's commit as environment variables of git. */
export function authorEnv(person: Person): Record<string, string> {
  return { GIT_AUTHOR_NAME: person.name, GIT_AUTHOR_EMAIL: person.email };
}

/** The committer as environment variables of git. */
export function committerEnv(person: Person): Record<string, string> {
  return { GIT_COMMITTER_NAME: person.name, GIT_COMMITTER_EMAIL: person.email };
}

function clean(text: string): string {
  // git also strips these characters from both ends of a name.
  return text.replace(/[<>\n\r\0]/g, '').replace(/^[\s.,:;"'\\]+|[\s.,:;"'\\]+$/g, '');
}
