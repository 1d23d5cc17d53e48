import '../onnx/proto.test.ts';
