"""ONNX Runtime's training API without PyTorch, which its package imports for parts that are not used here."""

import importlib.util
import os
import sys
import types

_root = importlib.util.find_spec("onnxruntime").submodule_search_locations[0]
_training = types.ModuleType("onnxruntime.training")
_training.__path__ = [f"{_root}/training"]
_helpers = types.ModuleType("onnxruntime.tools.pytorch_export_helpers")
_helpers.infer_input_info = None
sys.modules["onnxruntime.training"] = _training
sys.modules["onnxruntime.training.ortmodule"] = None
sys.modules["onnxruntime.tools.pytorch_export_helpers"] = _helpers

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # is read by the import
import onnxruntime  # noqa: E402
import onnxruntime.training.api as api  # noqa: E402
from onnxruntime.training import artifacts  # noqa: E402

__all__ = ["api", "artifacts", "onnxruntime"]
