import { expect, it } from 'vitest';
import { forEachDatabase } from '../../test/support/databases.ts';
import { prepared } from './prepared.ts';

const cursorsBetween = prepared((db, first: string, last: string) =>
  db
    .selectFrom('reactor_cursor')
    .select(['name', 'cursor'])
    .where((where) =>
      where.or([
        where('name', '=', first),
        where.and([where('name', '>', first), where('name', '<=', last)]),
      ]),
    )
    .where('cursor', 'in', ['1', '2'])
    .orderBy('name'),
);

forEachDatabase((_kind, makeDatabase) => {
  it('asks with the arguments of each call, wherever they stand, and with the values of the query itself', async () => {
    const database = await makeDatabase();
    const row = (name: string, cursor: string) => ({ name, cursor, updated_at: 'now' });
    await database.write((tx) =>
      tx
        .insertInto('reactor_cursor')
        .values([row('a', '1'), row('b', '2'), row('c', '3'), row('d', '1')])
        .execute(),
    );
    const names = async (first: string, last: string) =>
      (await cursorsBetween(database.read, first, last)).map(({ name }) => name);
    expect(await names('a', 'd')).toEqual(['a', 'b', 'd']);
    expect(await names('b', 'c')).toEqual(['b']);
    expect(await names('x', 'z')).toEqual([]);
    expect(await names("a' or 'a' = 'a", 'a')).toEqual([]);
  });

  it('inside a transaction sees what the transaction has written', async () => {
    const database = await makeDatabase();
    await database.write(async (tx) => {
      await tx.insertInto('reactor_cursor').values({ name: 'a', cursor: '1', updated_at: 'now' }).execute();
      expect(await cursorsBetween(tx, 'a', 'a')).toEqual([{ name: 'a', cursor: '1' }]);
      expect(await cursorsBetween(database.read, 'a', 'a')).toEqual([]);
    });
  });
});
