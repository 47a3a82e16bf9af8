import { type Compilable, type CompiledQuery, ControlledTransaction } from 'kysely';
import type { Db } from './database.ts';
import { NodeSqliteAdapter } from './sqlite-adapter.ts';

/** A query as it was compiled once, and which argument stands at which of its parameters. */
interface Form<Row> {
  query: CompiledQuery<Row>;
  /** For each parameter the place of its argument; undefined where the query brings its own value. */
  places: (number | undefined)[];
}

/**
 * A query with texts as arguments, in any number, whose SQL is made once for each kind of database and number of them.
 * Building it anew takes three times as long as asking SQLite, and what every operation asks (who calls, in which
 * repository, about what) is always the same. The query must not depend on its arguments in any other way.
 */
export function prepared<Args extends string[], Row>(
  build: (db: Db, ...args: Args) => Compilable<Row>,
): (db: Db, ...args: Args) => Promise<Row[]> {
  const forms = new Map<unknown, Form<Row>[]>();
  return async (db, ...args) => {
    const { adapter } = db.getExecutor();
    const byCount = forms.get(adapter.constructor) ?? [];
    forms.set(adapter.constructor, byCount);
    byCount[args.length] ??= compile(db, build, args.length);
    const { query, places } = byCount[args.length] as Form<Row>;
    const parameters = query.parameters.map((own, i) => args[places[i] ?? -1] ?? own);
    const asked = { ...query, parameters };
    const connection = adapter instanceof NodeSqliteAdapter && isOpen(db) ? adapter.connection : undefined;
    return (await (connection ?? db).executeQuery<Row>(asked)).rows;
  };
}

/** False for a transaction that is over: Kysely then says so. */
function isOpen(db: Db): boolean {
  return !(db instanceof ControlledTransaction && (db.isCommitted || db.isRolledBack));
}

function compile<Args extends string[], Row>(
  db: Db,
  build: (db: Db, ...args: Args) => Compilable<Row>,
  count: number,
): Form<Row> {
  // No stored text holds the character zero, so these stand for themselves only.
  const marks = Array.from({ length: count }, (_, i) => `\0argument ${i}`);
  const query = build(db, ...(marks as Args)).compile();
  const places = query.parameters.map((value) => {
    const place = marks.indexOf(value as string);
    return place < 0 ? undefined : place;
  });
  return { query, places };
}
