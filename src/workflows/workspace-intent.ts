/** What is written down before anything is made, so that a crash in between leaves nothing behind. */
export interface CreateIntent {
  streamId: string;
  branch: string;
  path: string;
  commit: string;
}
