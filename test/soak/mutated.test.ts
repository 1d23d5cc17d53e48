import '../serve/mutated.test.ts';
