import '../serve/fuzz.test.ts';
