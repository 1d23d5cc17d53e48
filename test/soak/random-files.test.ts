import '../data/random-files.test.ts';
