import '../artifact/crash.test.ts';
