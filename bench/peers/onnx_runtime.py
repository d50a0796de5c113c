#!/usr/bin/env python3
"""ONNX Runtime: prediction, its session optimized and its inputs and output bound once. W3's network is made here, those of the
zoo are exported from PyTorch by zoo.py."""
import hashlib
import importlib.metadata
import os
import subprocess
import sys
import tempfile

import peer


def graph(batch):
    """W3's network in ONNX's own layout, NCHW; the runtime reorders it for itself."""
    import numpy
    from onnx import TensorProto, checker, helper, numpy_helper
    random, nodes, weights = numpy.random.default_rng(0), [], []

    def node(op, source, *shapes, **attributes):
        names = [f"{op}{len(nodes)}_{i}" for i in range(len(shapes))]
        weights.extend(numpy_helper.from_array(random.normal(0, 0.05, s).astype("float32"), n) for n, s in zip(names, shapes))
        nodes.append(helper.make_node(op, [source] + names, [f"v{len(nodes)}"], **attributes))
        return nodes[-1].output[0]

    at = "x"
    for c, f in ((1, 32), (32, 64)):
        at = node("Relu", node("Conv", at, (f, c, 3, 3), (f,), kernel_shape=[3, 3]))
        at = node("MaxPool", at, kernel_shape=[2, 2], strides=[2, 2])
    at = node("Relu", node("Gemm", node("Flatten", at), (1600, 128), (128,)))
    at = node("Softmax", node("Gemm", at, (128, 10), (10,)))
    floats = TensorProto.FLOAT
    made = helper.make_model(helper.make_graph(
        nodes, "w3", [helper.make_tensor_value_info("x", floats, [batch, 1, 28, 28])],
        [helper.make_tensor_value_info(at, floats, [batch, 10])], weights),
        opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    checker.check_model(made)
    return made.SerializeToString(), at


def exported(net, batch):
    """By another process: PyTorch's threads stay out of this one. Kept among the temporary files as long as zoo.py is the same."""
    program = os.path.join(os.path.dirname(os.path.abspath(__file__)), "zoo.py")
    with open(program, "rb") as file:
        folder = f"{tempfile.gettempdir()}/cajal-zoo-{hashlib.sha256(file.read()).hexdigest()[:12]}"
    path = f"{folder}/{net}@{batch}.onnx"
    if not os.path.exists(path):
        os.makedirs(folder, exist_ok=True)
        done = subprocess.run([sys.executable, program, "export", net, str(batch), path + ".part"], capture_output=True,
                              text=True, check=False)
        if done.returncode:
            raise ValueError(f"has no {net}: {(done.stderr.strip().splitlines() or [''])[-1]}")
        os.replace(path + ".part", path)
    with open(path, "rb") as file:
        return file.read(), "y"


def make(kind, s):
    if kind != "predict":
        raise ValueError(f"has no {kind}")
    import numpy
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = s["threads"], 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    model, result = graph(s["batch"]) if s["net"] == "w3" else exported(s["net"], s["batch"])
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    random, bound, held = numpy.random.default_rng(0), session.io_binding(), []
    for x in session.get_inputs():
        value = random.random(x.shape, "float32") if "float" in x.type else random.integers(1, 96, x.shape, "int64")
        held.append(onnxruntime.OrtValue.ortvalue_from_numpy(value))
        bound.bind_ortvalue_input(x.name, held[-1])
    held.append(onnxruntime.OrtValue.ortvalue_from_numpy(numpy.empty(session.get_outputs()[0].shape, "float32")))
    bound.bind_ortvalue_output(result, held[-1])

    def step():  # what is bound is held here, for the binding does not
        session.run_with_iobinding(bound)
        return held
    return step


peer.serve("ONNX Runtime", importlib.metadata.version("onnxruntime"), "all optimizations, inputs and output bound once", make)
