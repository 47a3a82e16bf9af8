import { RUN_VARIABLE } from './process-group.ts';

type Variables = Readonly<Record<string, string | undefined>>;

const KEPT = new Set([
  ...['PATH', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'LANG', 'LANGUAGE', 'TERM', 'TZ', 'TMPDIR', 'COLUMNS'],
  ...['XDG_CACHE_HOME', 'XDG_CONFIG_HOME', 'XDG_DATA_HOME', 'JAVA_HOME', 'GOPATH', 'GOROOT', 'CARGO_HOME'],
  ...['RUSTUP_HOME', 'PYENV_ROOT', 'RBENV_ROOT', 'NVM_DIR', 'VOLTA_HOME', 'PNPM_HOME', 'ANDROID_HOME'],
  ...['SSL_CERT_FILE', 'SSL_CERT_DIR', 'NODE_EXTRA_CA_CERTS', 'HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY'],
  ...['http_proxy', 'https_proxy', 'no_proxy', RUN_VARIABLE],
]);
const SECRET = /TOKEN|SECRET|KEY|PASSW|CREDENTIAL/i;

/**
 * The environment of a command that comes from a repository: what programs need to find themselves, and no secrets.
 * `extra` is what the caller means to hand over; it is not filtered.
 */
export function commandEnvironment(from: { base: Variables; extra?: Variables }): Record<string, string> {
  const environment: Record<string, string> = {
    PATH: '/usr/local/bin:/usr/bin:/bin',
    LANG: 'C.UTF-8',
    TERM: 'dumb',
  };
  for (const [name, value] of Object.entries(from.base)) {
    if (value !== undefined && isPassedOn(name, value)) environment[name] = value;
  }
  environment.CI = '1';
  for (const [name, value] of Object.entries(from.extra ?? {})) {
    if (value !== undefined) environment[name] = value;
  }
  return environment;
}

function isPassedOn(name: string, value: string): boolean {
  if (SECRET.test(name)) return false;
  if (/proxy$/i.test(name) && value.includes('@')) return false;
  return KEPT.has(name) || name.startsWith('LC_');
}
