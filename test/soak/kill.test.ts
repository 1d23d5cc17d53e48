import '../artifact/kill.test.ts';
