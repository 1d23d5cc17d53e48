import '../evaluate/ranking.test.ts';
