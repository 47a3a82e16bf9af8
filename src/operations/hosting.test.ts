import { expect, it } from 'vitest';
import { forEachDatabase } from '../../test/support/databases.ts';
import { makeKernel } from '../../test/support/kernel.ts';
import { refusal } from '../../test/support/story.ts';
import { listRepos, registerRepo } from '../contract/hosting.ts';
import { operations } from './index.ts';

forEachDatabase((_kind, makeDatabase) => {
  it('clones that meet in one remote are registered as one repository, even at the same moment', async () => {
    const kernel = makeKernel(await makeDatabase(), operations);
    const { call, ann, ben } = { ...kernel, ...(await kernel.seedRepo({ agents: ['ann', 'ben'] })) };
    const register = (as: { id: string }, cloneUrl: string, more: object = {}) =>
      call(registerRepo, { name: 'demo', cloneUrl, ...more }, { as });
    const both = await Promise.allSettled([
      register(ann, 'https://host/demo.git'),
      register(ben, 'https://name:secret@host/demo/'),
    ]);
    const [made] = both.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const refused = await refusal(register(ben, 'https://host/demo'));
    expect(refused).toMatchObject({ code: 'conflict', details: { candidates: [{ id: made?.id }] } });
    const another = await register(ben, 'https://host/demo', { new: true });
    expect(another.id).not.toBe(made?.id);
    await register(ben, 'https://host/other');
    const { items } = await call(
      listRepos,
      { cloneUrls: ['https://host/demo', 'https://host/demo.git'] },
      { as: ann },
    );
    expect(items).toHaveLength(2);
  });

  it('what one may not see keeps nobody from registering', async () => {
    const kernel = makeKernel(await makeDatabase(), operations);
    const { call, ann, ben } = { ...kernel, ...(await kernel.seedRepo({ agents: ['ann', 'ben'] })) };
    const wish = { name: 'demo', cloneUrl: 'https://host/demo', isPrivate: true };
    const hidden = await call(registerRepo, wish, { as: ann });
    expect((await call(registerRepo, wish, { as: ben })).id).not.toBe(hidden.id);
  });
});
