import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';
import { build } from 'vite';
import { afterAll, describe, expect, onTestFinished } from 'vitest';
import { tempDir } from './temp-dir.ts';

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
  existsSync,
);

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

let browser: Promise<Browser> | undefined;
afterAll(async () => {
  await (await browser)?.close();
  browser = undefined;
});

/** Runs promises that need a browser, or says loudly that there is none. In CI there has to be one. */
export const describeInBrowser: typeof describe.skip = CHROMIUM ? describe : refuse();

function refuse(): typeof describe.skip {
  if (process.env.CI === 'true') throw new Error('Chromium for tests is missing: .ci/run installs it.');
  process.stderr.write(
    '\n*** Chromium is missing, SKIPPING the tests in a browser: apt-get install chromium\n\n',
  );
  return describe.skip;
}

/** Builds the dashboard from the sources as they are; to be called before the tests, for whose file it is kept. */
export async function buildDashboard(): Promise<string> {
  const outDir = tempDir('dashboard');
  await build({ configFile: 'web/vite.config.ts', build: { outDir } });
  return outDir;
}

/** A library may catch what the policy refuses it, and the browser then says nothing of its own. */
const TELL_VIOLATIONS = `document.addEventListener('securitypolicyviolation', (event) =>
  console.error('against the policy: ' + event.violatedDirective + ' ' + event.blockedURI + ' ' + event.sourceFile));`;

/** A fresh profile. Whatever a page throws, or tries against its policy, fails the test when it is over. */
export async function openBrowser(
  options: { width?: number; scheme?: 'light' | 'dark' } = {},
): Promise<Page> {
  browser ??= chromium.launch({ executablePath: CHROMIUM ?? '', args: FLAGS });
  const context = await (await browser).newContext({
    viewport: { width: options.width ?? 1280, height: 900 },
    colorScheme: options.scheme ?? 'light',
  });
  await context.addInitScript({ content: TELL_VIOLATIONS });
  const page = await context.newPage();
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('console', (message) => {
    // That something was refused the browser tells as well; the page shows it to people.
    const isAnswer = message.text().startsWith('Failed to load resource');
    if (message.type() === 'error' && !isAnswer) faults.push(message.text());
  });
  onTestFinished(async () => {
    await context.close();
    expect(faults).toEqual([]);
  });
  return page;
}
