import '../onnx/vectorize.test.ts';
