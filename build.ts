import { createHash } from 'node:crypto';
import { chmodSync, readFileSync, rmSync } from 'node:fs';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import { build as buildPages } from 'vite';

/**
 * The published program, in two files: a first one that finds the compiled code of the last run, and everything else in
 * one bundle whose parts are evaluated when they are first used. CommonJS, because that loader is ready at once and
 * start-up is the hot path of a command line that agents call at every step (docs/performance.md).
 */
const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };

/**
 * Parts of Node that take longer to load than most commands take to run, and that many commands never use: loaded when
 * something in them is first used.
 */
const lazyParts = ['node:child_process', 'node:crypto', 'node:zlib', 'node:readline', 'node:os'];

const loadWhenUsed: Plugin = {
  name: 'load-when-used',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:/ }, ({ path }) =>
      lazyParts.includes(path) ? { path, namespace: 'load-when-used' } : undefined,
    );
    onLoad({ filter: /./, namespace: 'load-when-used' }, async ({ path }) => {
      const names = Object.keys(await import(path)).filter((name) => name !== 'default');
      return {
        contents: `for (const name of ${JSON.stringify(names)}) Object.defineProperty(exports, name, {
          enumerable: true, get: () => process.getBuiltinModule(${JSON.stringify(path)})[name] });`,
      };
    });
  },
};

const common: BuildOptions = {
  bundle: true,
  format: 'cjs',
  platform: 'node',
  target: 'node22.18',
  charset: 'ascii',
  minify: true,
  sourcemap: true,
  logLevel: 'warning',
  // Loaded only with a server or its database; the demo's library is read as files.
  external: [
    'pg',
    'pg-native',
    '@fastify/forwarded',
    'fastify',
    '@fastify/rate-limit',
    '@fastify/websocket',
    'ioredis',
    'prom-client',
  ],
  // As a require: the bundle is compiled by us, and only Node's own loader knows what an import would mean there.
  supported: { 'dynamic-import': false },
  define: { 'import.meta.url': '__moduleUrl', GITSWARM_VERSION: JSON.stringify(version) },
};
const banner = { js: "const __moduleUrl = require('node:url').pathToFileURL(__filename).href;" };

rmSync('dist', { recursive: true, force: true });
await build({
  ...common,
  banner,
  plugins: [loadWhenUsed],
  entryPoints: ['src/cli/main.ts'],
  outfile: 'dist/main.cjs',
});
const bundle = createHash('sha256').update(readFileSync('dist/main.cjs')).digest('hex').slice(0, 16);
await build({
  ...common,
  define: { ...common.define, GITSWARM_BUNDLE: JSON.stringify(bundle) },
  entryPoints: ['src/bin/bundled.ts'],
  outfile: 'dist/gitswarm.cjs',
});
chmodSync('dist/gitswarm.cjs', 0o755);

// The dashboard: files beside the program, which its server hands out.
await buildPages({ configFile: 'web/vite.config.ts' });
