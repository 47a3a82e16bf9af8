import * as contract from '../contract/uploads.ts';
import { operation } from './operation.ts';

const record = operation(contract.recordUpload, {
  on: 'repo',
  needs: 'admin',
  async run({ repo, emit }, { refs }) {
    emit({ type: 'repo.uploaded', subject: { type: 'repo', id: repo.id }, data: { refs } });
    return { recorded: refs.length };
  },
});

export const uploadOperations = [record];
