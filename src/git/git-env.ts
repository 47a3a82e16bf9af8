/** The environment every git process of ours gets. Nothing here reads `process.env`: it arrives as an argument. */
export type GitEnv = Readonly<Record<string, string>>;

/** Variables of git that carry identity, transport and the place of the configuration; all other `GIT_*` are dropped. */
const CARRIED =
  /^GIT_(CONFIG_(GLOBAL|SYSTEM|NOSYSTEM)|(AUTHOR|COMMITTER)_(NAME|EMAIL|DATE)|SSH|SSH_COMMAND|SSH_VARIANT|ASKPASS|SSL_\w+|HTTP_\w+|PROXY_\w+|EXEC_PATH|TEMPLATE_DIR|CEILING_DIRECTORIES|DISCOVERY_ACROSS_FILESYSTEM|ATTR_NOSYSTEM)$/;

/** Settings that hold for every call of ours. The last one switches the hooks off, so that a call may leave it out. */
const SETTINGS: readonly (readonly [string, string])[] = [
  ['protocol.ext.allow', 'never'],
  ['gc.auto', '0'],
  ['maintenance.auto', 'false'],
  ['color.ui', 'false'],
  ['diff.noprefix', 'false'],
  ['diff.mnemonicPrefix', 'false'],
  ['log.showSignature', 'false'],
  ['core.hooksPath', '/dev/null'],
];

const DURABLE = ['core.fsync', 'committed,loose-object,reference'] as const;

/** The fixed environment of our plumbing: English messages, no prompt, pager or editor, no foreign repository. */
export function gitEnv(
  inherited: Readonly<Record<string, string | undefined>>,
  { durable = false }: { durable?: boolean } = {},
): GitEnv {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(inherited)) {
    if (value === undefined) continue;
    if (name.startsWith('GIT_') && !CARRIED.test(name)) continue;
    env[name] = value;
  }
  const settings = durable ? [DURABLE, ...SETTINGS] : SETTINGS;
  settings.forEach(([key, value], index) => {
    env[`GIT_CONFIG_KEY_${index}`] = key;
    env[`GIT_CONFIG_VALUE_${index}`] = value;
  });
  // Hooks see the caller's language; for git itself LC_ALL decides.
  if (env.LC_ALL) env.LANG = env.LC_ALL;
  return {
    ...env,
    GIT_CONFIG_COUNT: String(settings.length),
    GIT_TERMINAL_PROMPT: '0',
    GIT_LITERAL_PATHSPECS: '1',
    GIT_PAGER: 'cat',
    PAGER: 'cat',
    GIT_EDITOR: ':',
    GIT_SEQUENCE_EDITOR: ':',
    GIT_MERGE_AUTOEDIT: 'no',
    LC_ALL: 'C',
  };
}

/** The same environment with the repository's hooks on, and without what hooks may not expect. */
export function withHooks(env: GitEnv): GitEnv {
  const { GIT_LITERAL_PATHSPECS: _literal, LC_ALL: _locale, ...rest } = env;
  return { ...rest, GIT_CONFIG_COUNT: String(Number(env.GIT_CONFIG_COUNT) - 1) };
}
