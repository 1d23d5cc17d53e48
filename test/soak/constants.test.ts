import '../onnx/constants.test.ts';
