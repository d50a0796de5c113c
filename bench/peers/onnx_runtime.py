#!/usr/bin/env python3
"""ONNX Runtime: prediction, its session optimized and its input and output bound once."""
import importlib.metadata

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


def make(kind, s):
    if kind != "predict" or s["net"] != "w3":
        raise ValueError(f"has no {kind} of {s.get('net')}")
    import numpy
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = s["threads"], 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    model, result = graph(s["batch"])
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    x = onnxruntime.OrtValue.ortvalue_from_numpy(numpy.random.default_rng(0).random((s["batch"], 1, 28, 28), "float32"))
    y = onnxruntime.OrtValue.ortvalue_from_numpy(numpy.empty((s["batch"], 10), "float32"))
    bound = session.io_binding()
    bound.bind_ortvalue_input("x", x)
    bound.bind_ortvalue_output(result, y)

    def step():  # `x` and `y` are held here, for the binding does not
        session.run_with_iobinding(bound)
        return x, y
    return step


peer.serve("ONNX Runtime", importlib.metadata.version("onnxruntime"), "all optimizations, input and output bound once", make)
