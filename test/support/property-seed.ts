import fc from 'fast-check';

/**
 * Properties draw new examples in every run. In CI they draw the same ones, so that it says the same of the same
 * commit; the long form, and every run at a desk, looks further.
 */
if (process.env.CI && process.env.GITSWARM_LONG !== '1') fc.configureGlobal({ seed: 20_261_120 });
