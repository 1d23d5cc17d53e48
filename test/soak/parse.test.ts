import '../data/parse.test.ts';
