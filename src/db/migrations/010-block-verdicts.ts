import type { Migration } from '../migration.ts';

/**
 * A verdict keeps what the whole stream was when it was given, besides the block it was given on: blocks are named by
 * the commits they hold, and whoever names those anew must not lose a rejection.
 */
export const blockVerdicts: Migration = {
  name: '010-block-verdicts',
  async up(db) {
    await db.schema.alterTable('review').addColumn('stream_patch_id', 'text').execute();
  },
};
