import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { makeServer } from '../../test/support/server.ts';
import { tempDir } from '../../test/support/temp-dir.ts';

/** As a build leaves it, beside a file that is none of it. */
function built(): string {
  const top = tempDir('built');
  const dir = join(top, 'web');
  mkdirSync(join(dir, 'assets'), { recursive: true });
  writeFileSync(join(top, 'secret.js'), 'secret');
  writeFileSync(join(dir, 'index.html'), '<!doctype html><title>GitSwarm</title>');
  writeFileSync(join(dir, 'assets', 'index-1a2b.js'), 'export {};');
  return dir;
}

it('gives the page at each of its addresses, never from a cache, and lets it run nothing but its own files', async () => {
  const server = await makeServer({ dashboardDir: built() });
  for (const path of ['//', '//login?token=gsl_x', '//agents', '//repos/x', '//repos/x/streams/s-1']) {
    const { status, headers, body } = await server.request(`GET ${path}`);
    expect({ status, body }).toEqual({ status: 200, body: '<!doctype html><title>GitSwarm</title>' });
    expect(headers.get('cache-control')).toBe('no-store');
    const policy = headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
    expect(policy).toContain("require-trusted-types-for 'script'");
    expect(policy).not.toContain('unsafe');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  }
  expect(await server.request('GET //nowhere')).toMatchObject({ status: 404 });
});

it('gives files that a browser may keep, and none from anywhere else on the disk', async () => {
  const server = await makeServer({ dashboardDir: built() });
  const script = await server.request('GET //assets/index-1a2b.js');
  expect(script).toMatchObject({ status: 200, body: 'export {};' });
  expect(script.headers.get('cache-control')).toContain('immutable');
  expect(script.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
  expect(script.headers.get('content-encoding')).toBe('gzip');
  const outside = ['..%2f..%2fsecret.js', '%2e%2e%2fsecret.js', '..%5c..%5csecret.js', 'constructor', 'x.js'];
  for (const name of outside)
    expect(await server.request(`GET //assets/${name}`)).toMatchObject({ status: 404 });
});

it('says how to build the dashboard where nobody has', async () => {
  const server = await makeServer({ dashboardDir: tempDir('not-built') });
  for (const path of ['//', '//login?token=gsl_x']) {
    const { status, body } = await server.request(`GET ${path}`);
    expect(status).toBe(200);
    expect(body).toContain('npm run build');
  }
});
