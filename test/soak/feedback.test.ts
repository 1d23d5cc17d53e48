import '../serve/feedback.test.ts';
