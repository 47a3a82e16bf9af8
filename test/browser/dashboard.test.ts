import { beforeAll, expect, it } from 'vitest';
import { makeLoginLink } from '../../src/app/login-link.ts';
import { buildDashboard, describeInBrowser, openBrowser } from '../support/browser.ts';
import { makeServer } from '../support/server.ts';

const EVIL = '<img src=x onerror="document.title=1"><script>document.title = 2</script>';

describeInBrowser('the dashboard', () => {
  let dashboardDir: string;
  beforeAll(async () => {
    dashboardDir = await buildDashboard();
  });

  async function start() {
    const server = await makeServer({ dashboardDir });
    const coder = await server.agent('coder');
    const { id: repoId } = await server.ask('POST /repos', { as: server.admin, body: { name: 'demo' } });
    const as = coder.key;
    const stream = await server.ask(`POST /repos/${repoId}/streams`, { as, body: { name: `work ${EVIL}` } });
    const file = { content: `${EVIL}\n`, encoding: 'utf8' };
    await server.ask(`PUT /streams/${stream.id}/files/page.html`, { as, body: file });
    await server.ask(`POST /streams/${stream.id}/commits`, { as, body: { message: `say ${EVIL}` } });
    await server.ask(`POST /streams/${stream.id}/submit`, { as, body: {} });
    const { path } = await makeLoginLink(server.app.kernel);
    return { server, repoId, coder, stream, link: `${server.url}${path}` };
  }

  it('carries one who signs in by a link from what needs attention to a landing, and out again', async () => {
    const { server, repoId, coder, stream, link } = await start();
    const page = await openBrowser();
    await page.goto(link);
    await page.getByRole('button', { name: 'Sign in with this link' }).click();
    await page.getByRole('link', { name: 'demo' }).click();
    await page.getByText('you: review it').waitFor();
    await page.getByText('live', { exact: true }).waitFor();

    await server.ask(`POST /repos/${repoId}/tasks`, { as: coder.key, body: { title: 'water the plants' } });
    await page.getByText('wrote a task').waitFor();
    await page.getByRole('button', { name: 'Claim water the plants' }).click();
    await page.getByText('claimed by you').waitFor();

    await page.getByRole('region', { name: 'Needs attention' }).getByRole('link').click();
    await page.getByRole('cell', { name: EVIL }).waitFor();
    await page.getByText('You: review it').waitFor();
    await page.getByRole('button', { name: 'Approve' }).click();
    await page.getByText('reached', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Merge' }).click();
    await page.getByText('It is merged: nothing is left to do.').waitFor();
    expect(await server.ask(`GET /streams/${stream.id}`, { as: coder.key })).toMatchObject({
      state: 'merged',
    });
    expect(await page.title()).toBe(`${stream.name} · GitSwarm`);

    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Sign in to GitSwarm' }).waitFor();
    expect(await page.context().cookies()).toEqual([]);
    await page.goto(link);
    await page.getByRole('button', { name: 'Sign in with this link' }).click();
    await page.getByText('The link has been used').waitFor();
  });

  it('takes a key on a phone, tells of what is refused, and shows nothing after the session ended elsewhere', async () => {
    const { server, repoId, coder, stream } = await start();
    const page = await openBrowser({ width: 390, scheme: 'dark' });
    await page.goto(`${server.url}/repos/${repoId}/streams/${stream.handle}`);
    await page.getByLabel('API key').fill('gsw_wrong-wrong-wrong-wrong');
    await page.keyboard.press('Enter');
    await page.getByText('The key is not valid').waitFor();
    await page.getByLabel('API key').fill(coder.key);
    await page.keyboard.press('Enter');
    await page.getByText('somebody else judges it').waitFor();
    const width = () => page.evaluate('document.documentElement.scrollWidth');
    expect(await width()).toBe(390);
    await page.getByRole('link', { name: 'demo' }).click();
    await page.getByRole('heading', { name: 'Needs attention' }).waitFor();
    expect(await width()).toBe(390);
    await server.ask('POST /agents/coder/rotate-key', { as: coder.key });
    await page.getByRole('heading', { name: 'Sign in to GitSwarm' }).waitFor();
  });
});
