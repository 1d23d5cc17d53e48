import '../data/ratings.test.ts';
