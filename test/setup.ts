import fc from 'fast-check';

// The same cases every time, so that a failure is the change's and not the day's.
fc.configureGlobal({ seed: 20_261_124 });
