import * as contract from '../contract/budgets.ts';
import { bookMovement, listEntryRows, toBudget, toEntries } from '../domain/budgets/budgets-store.ts';
import { operation, query } from './operation.ts';
import { decodeCursor, nextPage } from './paging.ts';

const show = query(contract.showBudget, {
  on: 'repo',
  needs: 'read',
  run: ({ db, repo }) => toBudget(db, repo),
});

function movement(endpoint: typeof contract.depositBudget, type: 'deposit' | 'withdrawal') {
  return operation(endpoint, {
    on: 'repo',
    needs: 'admin',
    async run(context, { amount, description }) {
      const { db, actor, repo } = context;
      await bookMovement(context, repo.id, {
        type,
        amount,
        description: description ?? type,
        agentId: actor.id,
      });
      return toBudget(db, repo);
    },
  });
}

const list = query(contract.listBudgetEntries, {
  on: 'repo',
  needs: 'read',
  async run({ db, repo }, input) {
    const cursor = decodeCursor(input.cursor);
    const rows = await listEntryRows(db, {
      repoId: repo.id,
      type: input.type,
      before: cursor === undefined ? undefined : Number(cursor),
      limit: input.limit + 1,
    });
    const page = nextPage(rows, input.limit, (row) => String(row.position));
    return { items: await toEntries(db, page.items), nextCursor: page.nextCursor };
  },
});

export const budgetOperations = [
  show,
  movement(contract.depositBudget, 'deposit'),
  movement(contract.withdrawBudget, 'withdrawal'),
  list,
];
