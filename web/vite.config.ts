import tailwindcss from '@tailwindcss/vite';
import { defineConfig } from 'vite';

/** What is served to a browser: no inline code, no data addresses, so that the policy of the server can be strict. */
export default defineConfig({
  root: import.meta.dirname,
  plugins: [tailwindcss()],
  build: {
    outDir: '../dist/web',
    emptyOutDir: true,
    target: 'es2023',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 800,
    rolldownOptions: {
      // Libraries mark their files for servers that render; there is none here.
      onLog: (level, log, handle) => {
        if (log.code !== 'MODULE_LEVEL_DIRECTIVE') handle(level, log);
      },
    },
  },
  server: { proxy: Object.fromEntries(['/api', '/logout'].map((path) => [path, 'http://127.0.0.1:7433'])) },
  logLevel: 'warn',
});
