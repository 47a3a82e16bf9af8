import { chmodSync, readFileSync, rmSync } from 'node:fs';
import { type BuildOptions, build, type Plugin } from 'esbuild';

/**
 * The published program, in two files: a launcher that switches the compile cache on, and everything else in one
 * bundle whose parts are evaluated when they are first used. CommonJS, because that loader is ready at once and
 * start-up is the hot path of a command line that agents call at every step (docs/performance.md).
 */
const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };

const common: BuildOptions = {
  bundle: true,
  format: 'cjs',
  platform: 'node',
  target: 'node22.18',
  minify: true,
  sourcemap: true,
  logLevel: 'warning',
  // Loaded only with a server database; the demo's library is read as files.
  external: ['pg', 'pg-native', '@fastify/forwarded'],
  define: { 'import.meta.url': '__moduleUrl', GITSWARM_VERSION: JSON.stringify(version) },
  banner: { js: "const __moduleUrl = require('node:url').pathToFileURL(__filename).href;" },
};

const mainApart: Plugin = {
  name: 'main-apart',
  setup({ onResolve }) {
    onResolve({ filter: /cli\/main\.ts$/ }, () => ({ path: './main.cjs', external: true }));
  },
};

rmSync('dist', { recursive: true, force: true });
await build({ ...common, entryPoints: ['src/cli/main.ts'], outfile: 'dist/main.cjs' });
await build({
  ...common,
  entryPoints: ['src/bin/gitswarm.ts'],
  outfile: 'dist/gitswarm.cjs',
  plugins: [mainApart],
});
chmodSync('dist/gitswarm.cjs', 0o755);
