import '../onnx/gradients.test.ts';
