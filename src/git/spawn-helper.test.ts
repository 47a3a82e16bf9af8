import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { tempDir } from '../../test/support/temp-dir.ts';
import { SpawnHelper } from './spawn-helper.ts';

const env = { PATH: process.env.PATH ?? '', MARK: 'ours' };
const helper = new SpawnHelper(env);
const dir = tempDir('spawn');
afterAll(() => helper.close());

/** The shells that this process has started and that still run. */
function shells(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        const parent = /^PPid:\t(\d+)$/m.exec(readFileSync(`/proc/${name}/status`, 'utf8'))?.[1];
        return (
          Number(parent) === process.pid && readFileSync(`/proc/${name}/cmdline`, 'utf8').startsWith('sh\0-c')
        );
      } catch {
        return false;
      }
    })
    .map(Number);
}

describe('a helper that starts programs', () => {
  it('hands every word on as it is, whatever a shell would make of it', async () => {
    const word = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 40 }),
      fc.constantFrom(
        "'",
        '"',
        '$(id)',
        '`id`',
        '\\',
        ' a  b ',
        '',
        '-n',
        '*',
        '~',
        '$MARK',
        '\t',
        '\r',
        '\x1b[2J',
      ),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(word, { maxLength: 8 }), async (given) => {
        const words = given.map((each) => each.replace(/[\n\0]/g, ' '));
        const { stdout, code } = await helper.run(['printf', '%s\\0', 'first', ...words], dir);
        expect(code).toBe(0);
        expect(stdout.toString('utf8').split('\0').slice(1, -1)).toEqual(words);
      }),
      { numRuns: 60 },
    );
  });

  it('runs in the directory and the environment it was given, without input', async () => {
    const { stdout } = await helper.run(['sh', '-c', 'pwd; echo "$MARK"; cat; env | grep -c HOME'], dir);
    expect(stdout.toString('utf8')).toBe(`${dir}\nours\n0\n`);
  });

  it('gives back all bytes of both outputs, however many, and the exit code', async () => {
    const print = 'head -c 3000000 /dev/zero; printf "a\\nb" >&2; exit 7';
    const ran = await helper.run(['sh', '-c', print], dir);
    expect(ran.stdout.length).toBe(3_000_000);
    expect(ran.stdout.every((byte) => byte === 0)).toBe(true);
    expect(ran).toMatchObject({ stderr: 'a\nb', code: 7 });
  });

  it('ends a program that prints more than it may, and works on', async () => {
    // Answered only when the program, which holds the other output, is gone too.
    expect(await helper.run(['yes'], dir, 1_000_000)).toMatchObject({ code: -1, isTooLong: true });
    const exactly = await helper.run(['head', '-c', '1000000', '/dev/zero'], dir, 1_000_000);
    expect([exactly.code, exactly.stdout.length]).toEqual([0, 1_000_000]);
  });

  it('keeps the answers of programs that run at the same time apart', async () => {
    const numbers = Array.from({ length: 40 }, (_, i) => String(i));
    const ran = await Promise.all(numbers.map((n) => helper.run(['echo', n], dir)));
    expect(ran.map(({ stdout }) => stdout.toString('utf8').trim())).toEqual(numbers);
  });

  it('says so when the program is not there, its directory is gone, or a signal ended it', async () => {
    expect((await helper.run(['no-such-program'], dir)).code).toBe(127);
    expect((await helper.run(['echo', 'x'], `${dir}/gone`)).code).not.toBe(0);
    expect(await helper.run(['sh', '-c', 'kill -9 $$'], dir)).toMatchObject({ code: -1 });
  });

  it.skipIf(process.platform !== 'linux')(
    'replaces helpers that were killed, and tells whose work was cut short',
    async () => {
      const own = new SpawnHelper(env);
      const before = new Set(shells());
      const [fifo, begun] = [join(dir, 'fifo'), join(dir, 'begun')];
      await own.run(['mkfifo', fifo], dir);
      const running = own.run(['sh', '-c', `echo half; > ${begun}; cat ${fifo}`], dir);
      while (!existsSync(begun)) await new Promise((done) => setImmediate(done));
      const mine = shells().filter((pid) => !before.has(pid));
      expect(mine).toHaveLength(1);
      for (const pid of mine) process.kill(pid, 'SIGKILL');
      writeFileSync(fifo, ''); // lets the program end, which outlives its helper
      expect(await running).toMatchObject({ code: -1, stdout: Buffer.from('half\n') });
      expect(await own.run(['echo', 'again'], dir)).toMatchObject({ code: 0 });
      await own.close();
      expect(shells().filter((pid) => !before.has(pid))).toEqual([]);
    },
  );

  it('takes no word of several lines', () => {
    expect(SpawnHelper.takes(['git', 'log'], dir)).toBe(true);
    expect(SpawnHelper.takes(['git', 'a\nb'], dir)).toBe(false);
    expect(SpawnHelper.takes(['git'], 'a\nb')).toBe(false);
  });
});
