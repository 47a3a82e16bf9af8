import { chmodSync, rmSync } from 'node:fs';
import { build } from 'esbuild';

/**
 * The published program: one bundle with code splitting, because start-up is the hot path of a command line that
 * agents call at every step. What only some commands need is a chunk of its own.
 */
rmSync('dist', { recursive: true, force: true });
await build({
  entryPoints: { gitswarm: 'src/bin/gitswarm.ts' },
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node22.18',
  sourcemap: true,
  minify: true,
  keepNames: false,
  chunkNames: 'chunks/[name]-[hash]',
  define: { GITSWARM_BUNDLED: 'true' },
  // pg is CommonJS and asks for Node's modules by require.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
  external: ['pg-native'],
  logLevel: 'warning',
});
chmodSync('dist/gitswarm.js', 0o755);
