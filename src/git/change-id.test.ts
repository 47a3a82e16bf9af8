import { describe, expect, test } from 'vitest';
import { gitFixture } from '../../test/support/git-fixture.ts';
import { changeIdOf, isChangeId, newChangeId, trailersOf, withTrailers } from './change-id.ts';

const id = (digit: string) => `I${digit.repeat(40)}`;

describe('Change-Ids', () => {
  test('are long enough never to meet, and read back from a message', () => {
    const fresh = newChangeId();
    expect(isChangeId(fresh)).toBe(true);
    expect(changeIdOf(withTrailers('subject\n\nbody', { 'Change-Id': fresh }))).toBe(fresh);
    expect(changeIdOf(`subject\n\nsee Change-Id: ${fresh} for more`)).toBeUndefined();
    expect(changeIdOf('subject\n\nChange-Id: Iabc')).toBeUndefined();
  });

  test.each([
    ['subject', `subject\n\nChange-Id: ${id('1')}\n`],
    ['fix: subject', `fix: subject\n\nChange-Id: ${id('1')}\n`],
    ['s\n\nbody\n\nSigned-off-by: A <a@b>', `s\n\nbody\n\nSigned-off-by: A <a@b>\nChange-Id: ${id('1')}\n`],
    [`s\n\nChange-Id: ${id('2')}\nX: y`, `s\n\nX: y\nChange-Id: ${id('1')}\n`],
    ['s\n\nno: trailer\nhere it is', `s\n\nno: trailer\nhere it is\n\nChange-Id: ${id('1')}\n`],
  ])('are added to %j', (message, expected) => {
    expect(withTrailers(message, { 'Change-Id': id('1') })).toBe(expected);
  });

  test('trailers are those of git interpret-trailers, and cannot be forged', () => {
    const fixture = gitFixture();
    const message = withTrailers('subject\n\nbody', { 'GitSwarm-Stream': 's-3fxa', 'Change-Id': id('1') });
    fixture.commit(message, { a: '1' });
    expect(fixture.git('log', '-1', '--format=%(trailers:only)')).toBe(
      trailersOf(message)
        .map(([name, value]) => `${name}: ${value}`)
        .join('\n'),
    );
    for (const [name, value] of [
      ['A', 'x\nB: y'],
      ['A B', 'x'],
      ['', 'x'],
    ]) {
      expect(() => withTrailers('s', { [name ?? '']: value })).toThrow(
        expect.objectContaining({ code: 'invalid' }),
      );
    }
  });
});
