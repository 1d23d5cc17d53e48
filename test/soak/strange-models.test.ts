import '../serve/strange-models.test.ts';
