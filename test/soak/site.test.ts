import '../cli/page.test.ts';
